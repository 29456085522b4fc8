"""JSON and YAML of strangers: small, shallow, every key once."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any

import yaml

MAX_DEPTH = 32
MAX_JSON_BYTES = 1 << 20


class UntrustedFileError(ValueError):
    """A file is not as it must be; the message is a reason and repeats nothing of the file."""


def read_json(content: bytes, *, limit: int = MAX_JSON_BYTES) -> Any:
    """Read JSON in UTF-8.

    Parameters
    ----------
    content : bytes
    limit : int
        In bytes.

    Raises
    ------
    UntrustedFileError
        Too large, too deep, no JSON in UTF-8, a key twice, or a number that JSON has not.
    """
    if len(content) > limit:
        raise UntrustedFileError(f"JSON of more than {limit} bytes")
    try:
        value = json.loads(
            content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
    except UntrustedFileError:
        raise
    except RecursionError:
        raise UntrustedFileError(f"JSON nested deeper than {MAX_DEPTH}") from None
    except ValueError:
        raise UntrustedFileError("no JSON in UTF-8") from None
    _check_depth(value)
    return value


def read_object(content: bytes, *, limit: int = MAX_JSON_BYTES) -> dict[str, Any]:
    """Read a JSON object, as `read_json`."""
    value = read_json(content, limit=limit)
    if not isinstance(value, dict):
        raise UntrustedFileError("JSON that is no object")
    return value


def read_yaml(content: bytes, *, limit: int = MAX_JSON_BYTES) -> Any:
    """Read YAML in UTF-8 of plain values, without anchors.

    Raises
    ------
    UntrustedFileError
        Too large, no YAML, a key twice, or an alias.
    """
    if len(content) > limit:
        raise UntrustedFileError(f"YAML of more than {limit} bytes")
    try:
        return yaml.load(content.decode("utf-8"), Loader=_StrictLoader)  # noqa: S506  # is safe
    except UntrustedFileError:
        raise
    except (yaml.YAMLError, ValueError, RecursionError):
        raise UntrustedFileError("no YAML in UTF-8") from None


class _StrictLoader(yaml.SafeLoader):
    """Plain values only; no alias, no key twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise UntrustedFileError("YAML with an alias")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len({str(key) for key in keys}) != len(keys):
            raise UntrustedFileError("a key twice")
        return super().construct_mapping(node, deep=deep)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UntrustedFileError("a key twice")
    return found


def _refuse_constant(_: str) -> None:
    raise UntrustedFileError("a number that JSON has not")


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise UntrustedFileError(f"JSON nested deeper than {MAX_DEPTH}")
        containers = [each for each in level if isinstance(each, dict | list)]
        level = [
            child
            for each in containers
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        ]

"""Finds the reason codes and log events that the source can give, by its syntax trees.

What is written out is read where it stands. Where a code is chosen at run time, the
function's docstring must name the codes under ``Raises``.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from updp_node.forward import Reason

PACKAGE = Path(__file__).resolve().parent.parent / "updp_node"

_CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")
_LEVELS = ("debug", "info", "warning", "error", "critical")
_RAISES = re.compile(r"^InstanceError\n((?:(?: .*)?\n?)*)", re.MULTILINE)
Found = dict[str, set[str]]


def find_reason_codes() -> Found:
    """Reason codes of instances, with the modules that give them.

    Raises
    ------
    ValueError
        An `InstanceError` has a code that is neither written out nor told in the docstring.
    """
    found: Found = {}
    for module, node in _nodes():
        codes: list[str] = []
        if isinstance(node, ast.FunctionDef):
            codes = list(_codes_of_docstring(module, node))
        elif isinstance(node, ast.Call) and _name(node.func) == "InstanceError":
            codes = _literals(node.args[0])
        elif isinstance(node, ast.Call) and _name(node.func) == "_hold" and len(node.args) > 1:
            codes = _literals(node.args[1])
        elif isinstance(node, ast.keyword | ast.Assign) and _target(node) == "code":
            codes = _literals(node.value)
        for code in filter(_CODE.fullmatch, codes):
            found.setdefault(code, set()).add(module)
    return found


def find_delivery_codes() -> Found:
    """Reason codes of deliveries: outcomes, and the first word of every `PeerError`."""
    found: Found = {each.value: {"forward.destination"} for each in Reason}
    for module, node in _nodes():
        texts: list[str] = []
        if module.startswith("forward") and isinstance(node, ast.Constant | ast.JoinedStr):
            texts = [text for text in _literals(node) if ": " in text]
        elif isinstance(node, ast.Call) and _name(node.func) == "PeerError":
            texts = _literals(node.args[0])
        elif isinstance(node, ast.Call) and _name(node.func) == "postpone":
            texts = _literals(node.args[-1]) if node.args else []
        for code in (text.partition(":")[0] for text in texts):
            if _CODE.fullmatch(code):
                found.setdefault(code, set()).add(module)
    return found


def find_log_events() -> Found:
    """Log events, with level and module of every place that writes them."""
    found: Found = {}
    for module, node in _nodes():
        if isinstance(node, ast.Call) and _name(node.func) in _LEVELS and node.args:
            for event in filter(_CODE.fullmatch, _literals(node.args[0])):
                found.setdefault(event, set()).add(f"{_name(node.func)} ({module})")
    return found


@lru_cache(maxsize=1)
def _nodes() -> list[tuple[str, ast.AST]]:
    """Every node of the package's syntax trees with the module it stands in."""
    nodes = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes += [(module, node) for node in ast.walk(tree)]
    return nodes


def _codes_of_docstring(module: str, function: ast.FunctionDef) -> Iterator[str]:
    """Codes that the docstring names, where the function chooses one at run time."""
    calls = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and _name(node.func) == "InstanceError"
    ]
    if all(_literals(call.args[0]) for call in calls):
        return
    told = _RAISES.search(inspect.cleandoc(ast.get_docstring(function) or ""))
    codes = re.findall(r"``([a-z0-9-]+)``", told[1]) if told else []
    if not codes:
        raise ValueError(f"{module}.{function.name}: a reason code is not written out")
    yield from codes


def _target(node: ast.keyword | ast.Assign) -> str:
    """The argument or variable that an expression is given to."""
    return node.arg or "" if isinstance(node, ast.keyword) else _name(node.targets[0])


def _name(node: ast.AST) -> str:
    return getattr(node, "id", "") or getattr(node, "attr", "")


def _literals(node: ast.AST) -> list[str]:
    """The texts that an expression can be, as far as they are written out."""
    if isinstance(node, ast.IfExp):
        return [*_literals(node.body), *_literals(node.orelse)]
    if isinstance(node, ast.JoinedStr):
        return _literals(node.values[0])
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []

"""Reads configuration files: YAML, every key known, every fault named."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from updp_node.config.node import Config
from updp_node.config.research import ResearchFile
from updp_node.config.sections import Section
from updp_node.errors import ConfigError

Model = TypeVar("Model", bound=Section)


def packaged_policy() -> Path:
    """Folder of the profiles and lexicons that come with the node: in the wheel or a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "profiles"
    return inside if inside.is_dir() else package.parent / "profiles"


def load_config(path: Path) -> Config:
    """Read and check the configuration of a node.

    Raises
    ------
    ConfigError
        Names the file and the key at fault; values are not repeated.
    """
    config = _load(path, Config)
    beside = (*config.profile_folders, path.resolve().parent / "profiles")
    return config.model_copy(update={"profile_folders": beside})


def load_research(path: Path) -> ResearchFile:
    """Read what the research process needs, from the node's file or from one of its own.

    Raises
    ------
    ConfigError
        As `load_config`.
    """
    return _load(path, ResearchFile)


def _load(path: Path, model: type[Model]) -> Model:
    try:
        raw: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError("cannot be read", file=str(path)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError("is not YAML in UTF-8", file=str(path)) from error
    try:
        config = model.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "(top)"
        raise ConfigError(first["msg"], file=str(path), key=key) from error
    anchored: Model = _anchor(config, path.resolve().parent)
    return anchored


def _anchor(value: Any, folder: Path) -> Any:
    """The same value with every relative path made relative to a folder."""
    if isinstance(value, Path):
        return folder / value.expanduser()
    if isinstance(value, Section):
        fields = {name: _anchor(getattr(value, name), folder) for name in type(value).model_fields}
        return value.model_copy(update=fields)
    if isinstance(value, tuple):
        return tuple(_anchor(item, folder) for item in value)
    return value

"""What would be loaded of a folder, and what is refused and why; imports no torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from updp_node.pixels.site.classes import IGNORED, PIPELINES, Slot
from updp_node.pixels.site.folder import SiteFile, read_folder, read_small
from updp_node.pixels.site.strict import MAX_JSON_BYTES, UntrustedFileError, read_object

INDEX = "model_index.json"
LORA = "lora"
_INDEX_NOTES = frozenset({"_class_name", "_diffusers_version", "_name_or_path"})
_SHARD = r"(-\d{5}-of-\d{5})?"
_WEIGHTS = {
    "diffusers": (
        re.compile(rf"diffusion_pytorch_model{_SHARD}\.safetensors"),
        "config.json", "diffusion_pytorch_model.safetensors.index.json",
    ),
    "transformers": (
        re.compile(rf"model{_SHARD}\.safetensors"),
        "config.json", "model.safetensors.index.json", "generation_config.json",
    ),
}  # fmt: skip
_OTHERS = {
    "scheduler": ("scheduler_config.json",),
    "tokenizer": (
        "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json",
        "added_tokens.json", "tokenizer.json", "tokenizer.model",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a pipeline.

    Attributes
    ----------
    name, library, class_name : str
    files : tuple of SiteFile
        Those that would be loaded.
    config : Mapping[str, Any]
        Its configuration.
    """

    name: str
    library: str
    class_name: str
    files: tuple[SiteFile, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a folder is found to be.

    Attributes
    ----------
    pipeline : str
        Class; empty where none of the list is named.
    components : tuple of Component
    index : tuple of SiteFile
        ``model_index.json``.
    lora : tuple of SiteFile
        Weights of ``lora/`` that change the pipeline's.
    unused : tuple of SiteFile
        Harmless, and not loaded.
    refusals : tuple of (str, str)
        Place and reason. One refusal refuses the folder.
    """

    pipeline: str
    components: tuple[Component, ...] = ()
    index: tuple[SiteFile, ...] = ()
    lora: tuple[SiteFile, ...] = ()
    unused: tuple[SiteFile, ...] = ()
    refusals: tuple[tuple[str, str], ...] = ()

    @property
    def loaded(self) -> tuple[SiteFile, ...]:
        """Every file that would be read, by path."""
        files = [file for component in self.components for file in component.files]
        return tuple(sorted((*self.index, *files, *self.lora), key=lambda each: each.path))


def inspect_folder(folder: Path) -> Inspection:
    """Look at a diffusers folder without loading anything of it.

    Parameters
    ----------
    folder : pathlib.Path
        ``model_index.json``, one folder for each component, and ``lora/`` where there is one.
    """
    try:
        files = read_folder(folder)
    except UntrustedFileError as error:
        return Inspection("", refusals=((".", str(error)),))
    refusals = [(file.path, file.refusal) for file in files if file.refusal is not None]
    try:
        pipeline, named = _read_index(folder)
    except UntrustedFileError as error:
        return Inspection("", refusals=(*refusals, (INDEX, str(error))))
    sound = [file for file in files if file.refusal is None]
    components = []
    for name, slot in PIPELINES[pipeline].items():
        try:
            components.append(_find_component(folder, sound, name, slot, named[name]))
        except UntrustedFileError as error:
            refusals.append((name, str(error)))
    found = Inspection(
        pipeline,
        tuple(components),
        tuple(file for file in sound if file.path == INDEX),
        tuple(file for file in sound if file.component == LORA and file.tensors is not None),
        refusals=tuple(refusals),
    )
    used = {file.path for file in found.loaded}
    return replace(found, unused=tuple(file for file in sound if file.path not in used))


def _read_index(folder: Path) -> tuple[str, dict[str, tuple[str, str]]]:
    """Pipeline class, and library and class of each component, all from our own list."""
    index = read_object(read_small(folder, INDEX, limit=MAX_JSON_BYTES))
    pipeline = index.get("_class_name")
    if not isinstance(pipeline, str):
        raise UntrustedFileError("a class name that is no string")
    if pipeline not in PIPELINES:
        raise UntrustedFileError("a pipeline that is not on the list")
    named = {}
    for key, value in index.items():
        if key.startswith("_"):
            if key not in _INDEX_NOTES or not isinstance(value, str):
                raise UntrustedFileError("a key with an underscore that is not known")
        elif isinstance(value, list):
            named[key] = _read_pair(value)
            _check_pair(PIPELINES[pipeline], key, named[key])
        elif not isinstance(value, bool | int | float | None):
            raise UntrustedFileError("an entry that is neither a component nor a number")
    missing = set(PIPELINES[pipeline]) - set(named)
    if missing:
        raise UntrustedFileError(f"no {', '.join(sorted(missing))}")
    return pipeline, {key: (str(pair[0]), str(pair[1])) for key, pair in named.items()}


def _read_pair(value: list[Any]) -> tuple[str | None, str | None]:
    if len(value) != 2 or not all(isinstance(each, str | None) for each in value):
        raise UntrustedFileError("a class name that is no string")
    return value[0], value[1]


def _check_pair(slots: Mapping[str, Slot], key: str, pair: tuple[str | None, str | None]) -> None:
    slot = slots.get(key)
    if slot is None:
        if pair != (None, None) and pair not in IGNORED.get(key, frozenset()):
            raise UntrustedFileError("a component that is not on the list")
        return
    if pair[0] != slot.library:
        raise UntrustedFileError(f"{key} is of another library than {slot.library}")
    if pair[1] not in slot.classes:
        raise UntrustedFileError(f"{key} is of a class that is not on the list")


def _find_component(
    folder: Path, files: list[SiteFile], name: str, slot: Slot, pair: tuple[str, str]
) -> Component:
    """The files of a component, and that its own configuration names the same class."""
    mine = [file for file in files if file.component == name and file.path.count("/") == 1]
    if slot.kind == "weights":
        weights, *others = _WEIGHTS[slot.library]
        found = [file for file in mine if file.name in others or re.fullmatch(weights, file.name)]
        if not any(file.tensors for file in found):
            raise UntrustedFileError("no weights as safetensors")
        _check_shards(folder, name, found)
        config_name = "config.json"
    else:
        found = [file for file in mine if file.name in _OTHERS[slot.kind]]
        config_name = f"{slot.kind}_config.json"
    if config_name not in {file.name for file in found}:
        raise UntrustedFileError(f"no {config_name}")
    config = read_object(read_small(folder, f"{name}/{config_name}", limit=MAX_JSON_BYTES))
    _check_config(config, slot, pair[1])
    return Component(name, *pair, tuple(found), config)


def _check_config(config: Mapping[str, Any], slot: Slot, class_name: str) -> None:
    """A configuration that claims another class than the index is refused."""
    claimed: Any = None
    if slot.library == "diffusers":
        claimed = [config.get("_class_name")]
    elif slot.kind == "weights":
        claimed = config.get("architectures")
    if claimed is not None and claimed != [class_name]:
        raise UntrustedFileError("its configuration names another class")


def _check_shards(folder: Path, name: str, files: list[SiteFile]) -> None:
    """An index of shards names files beside it, and no others."""
    names = {file.name for file in files}
    for file in files:
        if not file.name.endswith(".index.json"):
            continue
        index = read_object(read_small(folder, file.path, limit=64 << 20), limit=64 << 20)
        shards = index.get("weight_map")
        if not isinstance(shards, dict) or not all(
            isinstance(each, str) and each in names for each in shards.values()
        ):
            raise UntrustedFileError(f"an index of {name} that names other files")

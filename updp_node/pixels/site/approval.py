"""Whether a folder or a program is what an operator approved."""

from __future__ import annotations

from pathlib import Path

from updp_node.config.generators import DiffusersGenerator, SiteModel
from updp_node.errors import ConfigError
from updp_node.pixels.site.inspection import INDEX, inspect_folder
from updp_node.pixels.site.manifest import Manifest, read_manifest
from updp_node.pixels.site.programs import check_program


def read_approved(source: SiteModel) -> Manifest:
    """The manifest of a section of the configuration, if it is the approved one.

    Raises
    ------
    ConfigError
        Its digest, name or kind is not what the configuration says.
    """
    manifest, sha256 = read_manifest(source.manifest)
    where = str(source.manifest)
    if sha256 != source.sha256:
        raise ConfigError("is not the manifest that was approved", file=where, key="sha256")
    if manifest.name != source.name:
        raise ConfigError("is of another generator", file=where, key="name")
    if manifest.kind != source.type:
        raise ConfigError("is of another kind of generator", file=where, key="kind")
    return manifest


def check_source(source: SiteModel) -> Manifest:
    """Read every byte that a generator names and compare it with what was approved.

    Raises
    ------
    ConfigError
        Something is refused, absent, new or changed.
    """
    manifest = read_approved(source)
    if isinstance(source, DiffusersGenerator):
        check_folder(source.folder, manifest)
    else:
        check_program(source.command, manifest)
    return manifest


def check_folder(folder: Path, manifest: Manifest) -> None:
    """Compare a folder with its manifest.

    Raises
    ------
    ConfigError
        Something is refused, absent, new or changed.
    """
    inspection = inspect_folder(folder)
    if inspection.refusals:
        place, reason = inspection.refusals[0]
        raise ConfigError(f"refused: {reason}", file=str(folder / place))
    if inspection.pipeline != manifest.pipeline:
        raise ConfigError("another pipeline than was approved", file=str(folder / INDEX))
    if {each.name: each.class_name for each in inspection.components} != manifest.components:
        raise ConfigError("other components than were approved", file=str(folder / INDEX))
    found = {file.path: file.sha256 for file in inspection.loaded}
    approved = {path: file.sha256 for path, file in manifest.files.items()}
    for path in sorted(found.keys() | approved.keys()):
        if path not in approved:
            raise ConfigError("was not there when it was approved", file=str(folder / path))
        if path not in found:
            raise ConfigError("is absent or no longer used", file=str(folder / path))
        if found[path] != approved[path]:
            raise ConfigError("differs from the digest that was approved", file=str(folder / path))

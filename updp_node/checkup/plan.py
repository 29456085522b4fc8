"""``updp-node check``: the effective plan in words, and proof that it can be carried out."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from updp_node.checkup.research import explain_research
from updp_node.checkup.statements import Statement, explain_certificates, prove
from updp_node.config import Config, FolderTarget, Route
from updp_node.errors import ConfigError, NodeError
from updp_node.forward import DestinationSettings, make_destination, settings_of
from updp_node.header.comparison import warn_of
from updp_node.header.profile import load_profile
from updp_node.line import make_line
from updp_node.storage.folders import free_bytes
from updp_node.subject import ProjectKey
from updp_node.zones import MIB


def examine_plan(config: Config, *, ask_destinations: bool) -> dict[str, list[Statement]]:
    """Explain a configuration by section and prove its certificates, key, model, destinations.

    Parameters
    ----------
    ask_destinations : bool
        Whether to send each destination a C-ECHO (a trial file for a folder).
    """
    return {
        "Project": _project(config),
        "Receiver": _receiver(config),
        "Storage": _storage(config),
        "Settling": _settling(config),
        "Routes": [line for route in config.routes for line in _route(config, route)],
        "Destinations": _destinations(config, ask=ask_destinations),
        "Research side": explain_research(config.research),
    }


def _project(config: Config) -> list[Statement]:
    project = config.project
    pseudonym = project.pseudonym.format(project=project.name, code="XXXXXXXXXXXX")
    return [
        Statement("note", f"project {project.name}; patients become {pseudonym}"),
        prove(f"key {project.key_file.name} (not shown)",
               partial(ProjectKey.load, project.key_file)),
    ]  # fmt: skip


def _receiver(config: Config) -> list[Statement]:
    section = config.receiver
    lines = [Statement("note", f"{section.ae_title} at {section.host}:{section.port}")]
    for rule in section.peers:
        networks = ", ".join(str(network) for network in rule.networks) or "anywhere"
        lines.append(Statement("note", f"takes {rule.ae_title or 'any AE title'} from {networks}"))
    if section.allow_any_peer:
        lines.append(Statement("note", "takes any peer from anywhere: only for a closed network"))
    if section.tls is None:
        lines.append(Statement("note", "without TLS"))
    else:
        mutual = section.tls.require_client_certificate
        said = f"TLS, {'mutual' if mutual else 'server side only'}"
        lines.append(prove(said, partial(section.tls.settings().server_context, mutual)))
        lines += explain_certificates(section.tls)
    return lines


def _storage(config: Config) -> list[Statement]:
    storage = config.storage
    folder = storage.root
    while not folder.exists():
        folder = folder.parent

    def free() -> str:
        mib = free_bytes(folder) // MIB
        if mib < storage.reserve_mib:
            raise NodeError(f"only {mib} MiB free, the reserve is {storage.reserve_mib}")
        return f"{mib} MiB free, {storage.reserve_mib} MiB stay in reserve"

    def writable() -> str:
        if not os.access(folder, os.W_OK):
            raise NodeError("not writable")
        return ""

    kept = f"originals are deleted {storage.retain_staged_days:g} days after they came"
    return [prove("root can be written", writable), prove("", free), Statement("note", kept)]


def _settling(config: Config) -> list[Statement]:
    settling = config.settling
    return [
        Statement("note", f"a study is complete {settling.quiet_s:g} s after its last instance"),
        Statement("note", f"images wait up to {settling.report_wait_s:g} s for their report"),
    ]


def _route(config: Config, route: Route) -> list[Statement]:
    tests = []
    for each in route.when:
        wanted = each.regex or each.equals or " or ".join(each.one_of or ())
        tests.append(f"{each.keyword} {'matches' if each.regex else 'is'} {wanted}")
    if route.calling_ae_titles:
        tests.append(f"from {' or '.join(route.calling_ae_titles)}")
    targets = ", ".join(route.destinations) or "nowhere (kept for researchers)"
    said = f"{route.name}: {' and '.join(tests) or 'every study'}"
    return [
        Statement("note", f"{said} -> profile {route.profile} -> {targets}"),
        prove(f"profile {route.profile}", lambda: _explain_profile(config, route.profile)),
        *_warnings(config, route.profile),
    ]


def _warnings(config: Config, name: str) -> list[Statement]:
    """What of a profile identifies or contradicts itself; a fault of it is told elsewhere."""
    try:
        said = warn_of(load_profile(name, config.profile_folders))
    except ConfigError:
        return []
    return [Statement("warning", f"profile {name}: {text}") for text in said]


def _explain_profile(config: Config, name: str) -> str:
    key = ProjectKey.load(config.project.key_file)
    line = make_line(name, key=key, project=config.project.name,
                     pseudonym=config.project.pseudonym, search=config.profile_folders,
                     uid_root=config.project.uid_root,
                     generators=config.generators)  # fmt: skip
    pixels = line.profile.pixels
    model = ""
    if pixels.chest_frontal == "synthesize":
        from updp_node.pixels.generator import load_generator  # noqa: PLC0415  # torch

        generator = load_generator(line.model, source=line.generator)
        model = f"; model {generator.name} {generator.sha256[:12]} loads"
        if line.generator is not None:
            model += ", copies of its training images are not looked for"
    options = ", ".join(line.profile.options) or "no option"
    return (
        f": Basic Profile with {options}; frontal chest: {pixels.chest_frontal}, other views: "
        f"{pixels.chest_other}, other images: {pixels.other_images}; digest "
        f"{line.profile_digest[:12]}{model}"
    )


def _echo(settings: DestinationSettings) -> str:
    return f", answered in {make_destination(settings).echo():.3f} s"


def _destinations(config: Config, *, ask: bool) -> list[Statement]:
    lines = []
    for target in config.destinations:
        where = (
            f"folder {Path(target.path).name}"
            if isinstance(target, FolderTarget)
            else f"{target.ae_title} at {target.host}:{target.port}"
            f"{' with TLS' if target.tls else ''}"
        )
        text = f"{target.name}: {where}"
        if not ask:
            lines.append(Statement("note", text))
            continue
        settings = settings_of(target)
        lines.append(prove(text, partial(_echo, settings)))
    return lines

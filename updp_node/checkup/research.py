"""What a checkup says of the research side."""

from __future__ import annotations

from functools import partial

from updp_node.checkup.statements import Statement, explain_certificates, prove
from updp_node.config import Research
from updp_node.config.research import AccessRule, Web


def explain_research(section: Research | None) -> list[Statement]:
    """Who may query and retrieve, where C-MOVE may send to, and DICOMweb."""
    if section is None:
        return [Statement("note", "none here: nobody queries or retrieves what was released")]
    lines = [Statement("note", f"{section.ae_title} at {section.host}:{section.port}")]
    if section.tls is None:
        lines.append(Statement("note", "without TLS: an AE title alone proves nothing"))
    else:
        mutual = section.tls.require_client_certificate
        said = f"TLS, {'mutual' if mutual else 'server side only'}"
        lines.append(prove(said, partial(section.tls.settings().server_context, mutual)))
        lines += explain_certificates(section.tls)
    lines += [Statement("note", _rule(rule)) for rule in section.access]
    if not section.access:
        lines.append(Statement("note", "nobody is named in research.access: DIMSE refuses all"))
    for each in section.destinations:
        what = ", ".join(each.projects) or "what the requester sees"
        said = f"C-MOVE may send {what} to {each.ae_title} at {each.host}:{each.port}"
        if each.tls is None:
            lines.append(Statement("note", said))
        else:
            lines.append(prove(f"{said} with TLS", each.tls.settings().client_context))
    return [*lines, *_web(section.web)]


def _rule(rule: AccessRule) -> str:
    parts = [rule.ae_title or "any AE title"]
    if rule.networks:
        parts.append("from " + ", ".join(str(network) for network in rule.networks))
    if rule.certificate_sha256:
        parts.append("with certificate " + ", ".join(each[:12] for each in rule.certificate_sha256))
    return f"{' '.join(parts)} sees {', '.join(rule.projects)}"


def _web(web: Web | None) -> list[Statement]:
    if web is None:
        return [Statement("note", "no DICOMweb")]
    lines = [Statement("note", f"DICOMweb at {web.host}:{web.port}, by token")]
    if web.tls is None:
        lines.append(Statement("note", "DICOMweb without TLS: tokens can be read on the way"))
    else:
        asks = web.tls.require_client_certificate and web.tls.ca is not None
        lines.append(prove("DICOMweb with TLS",
                           partial(web.tls.settings().server_context, asks)))  # fmt: skip
        lines += explain_certificates(web.tls)
    for rule in web.access:
        named = ", ".join(each[:12] for each in rule.certificate_sha256)
        lines.append(Statement("note", f"certificate {named} sees {', '.join(rule.projects)}"))
    return lines

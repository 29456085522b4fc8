"""The conformance statement, from the code: called by `tools.generate_reference`.

References
----------
PS3.2: Conformance. The order of the sections is that of its Annex N template.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.datadict import keyword_for_tag
from pydicom.uid import UID, AllTransferSyntaxes
from pynetdicom.sop_class import _STORAGE_CLASSES

from updp_node.config.node import DimseTarget, Receiver
from updp_node.config.research import Research
from updp_node.dicomweb.app import describe, make_app
from updp_node.dimse import status
from updp_node.dimse.charsets import _CODECS
from updp_node.dimse.commands import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from updp_node.dimse.contexts import VERIFICATION, is_storage
from updp_node.dimse.research_contexts import EXTENSIONS, INFORMATION_MODELS, NATIVE_SYNTAXES
from updp_node.header.profile import load_profile, packaged_folders
from updp_node.query.levels import _LEVELS, COMPUTED, UNIQUE, Level
from updp_node.research.transcode import TARGETS
from updp_node.standard import OPTION_CODES
from updp_node.tls import TLS12_SUITES

Rows = Sequence[Sequence[str]]


def statement_lines(table: object) -> list[str]:
    """Lines of the page; `table` renders a head and rows as Markdown."""
    parts = (
        _overview, _storage, _research, _attributes, _statuses, _web, _networking, _charsets,
        _security,
    )  # fmt: skip
    return [line for part in parts for line in part(table)]


def _overview(table) -> list[str]:
    rows = [
        ("Verification", "yes, of every application entity", "yes (`echo`, `check`)"),
        ("Storage", "yes", "yes, of released objects to the configured destinations"),
        ("Query/Retrieve: C-FIND", "yes, Patient Root and Study Root", "no"),
        ("Query/Retrieve: C-MOVE, C-GET", "yes, Patient Root and Study Root", "no"),
        ("Storage Commitment, Modality Worklist, MPPS, Print", "no", "no"),
        ("DICOMweb QIDO-RS, WADO-RS", "yes (origin server)", "no"),
        ("DICOMweb STOW-RS, UPS-RS", "no", "no"),
    ]
    return [
        "The node has three application entities: the **receiver**, which hospital systems send",
        "to; the **sender**, which brings released objects to configured destinations; and the",
        "**research side**, which answers queries about released objects, and about nothing else.",
        "", *table("service | as provider (SCP) | as user (SCU)", rows),
        "## Implementation", "",
        *table("item | value", [
            ("Implementation Class UID", f"`{IMPLEMENTATION_CLASS_UID}`"),
            ("Implementation Version Name", f"`{IMPLEMENTATION_VERSION_NAME}`"),
            ("Application Context Name", "`1.2.840.10008.3.1.1.1`"),
            ("Asynchronous operations window", "not negotiated: one operation at a time"),
        ]),
    ]  # fmt: skip


def _storage(table) -> list[str]:
    classes = sorted((str(uid), name) for name, uid in _STORAGE_CLASSES.items())
    assert all(is_storage(uid) for uid, _ in classes)
    syntaxes = [(f"`{uid}`", UID(uid).name) for uid in AllTransferSyntaxes]
    return [
        "## Receiver: Storage SCP", "",
        "Any SOP Class that may be one of Storage is accepted: those of the table, retired ones,",
        "private ones, and ones that are not in the dictionary, in any transfer syntax that is",
        "proposed; of several in one context the first, Explicit VR Big Endian only where it is",
        "alone. Level of conformance: 2 (full): all attributes are kept as sent until the object",
        "is de-identified. The response of success means that the object is durable.", "",
        *table("Storage SOP Class of the dictionary | UID",
               [(UID(uid).name, f"`{uid}`") for uid, _ in classes]),
        *table("transfer syntax UID | name", syntaxes),
        "## Sender: Storage SCU", "",
        "Proposes, for each pair of SOP Class and transfer syntax of the objects to be sent, one",
        "context with that transfer syntax; nothing is transcoded. Success and warnings count as",
        "delivered. Objects of other stages than kept pixels are in Explicit VR Little Endian.",
        "",
    ]  # fmt: skip


def _research(table) -> list[str]:
    models = [(each.name, f"`{each.uid}`", "SCP") for each in INFORMATION_MODELS.values()]
    extensions = [
        (str(number), each.name.capitalize(), _yes(each.of_find), _yes(each.of_retrieval))
        for number, each in enumerate(EXTENSIONS, 1)
    ]
    native = ", ".join(f"{UID(uid).name} (`{uid}`)" for uid in NATIVE_SYNTAXES)
    targets = " or ".join(UID(uid).name for uid in TARGETS)
    return [
        "## Research side: Query/Retrieve SCP", "",
        *table("SOP Class | UID | role", [
            ("Verification SOP Class", f"`{VERIFICATION}`", "SCP"), *models,
            ("any Storage SOP Class", "as the receiver", "SCU: sub-operations of C-MOVE and C-GET"),
        ]),
        f"Transfer syntaxes of Verification and of the information models: {native}.", "",
        "Storage contexts of C-GET need SCP/SCU Role Selection with the requester as SCP. In",
        "C-MOVE",
        "the node proposes the stored transfer syntax of every object, and the two uncompressed",
        "ones. Where the stored syntax is not accepted, the object is transcoded to",
        f"{targets}; where that cannot be done the sub-operation fails and the log says why.",
        "",
        "SOP Class Extended Negotiation (PS3.4 C.5.1.1, C.5.2.1):", "",
        *table("byte | meaning | C-FIND | C-MOVE, C-GET", extensions),
        "Without negotiated relational queries, identifiers carry the unique keys of all levels",
        "above (0xA900 otherwise). Matching: single value, list of UID, universal, wildcard, range",
        "(DA, TM, DT), sequence (one item), several values of any attribute (any of them). Person",
        "names match without regard to case, diacritics and component group; other text is",
        "matched exactly. One answer for each entity of the level. Of an instance that was",
        "released again only the newest generation is found, unless its predecessor's SOP Instance",
        "UID is asked for. C-CANCEL is looked for between answers and sub-operations.", "",
    ]  # fmt: skip


def _attributes(table) -> list[str]:
    rows = []
    for level in Level:
        unique = keyword_for_tag(UNIQUE[level])
        named = sorted(keyword_for_tag(tag) for tag, at in _LEVELS.items() if at is level)
        listed = ", ".join(f"`{name}`" for name in named if name != unique)
        listed = listed or "every other attribute of the object"
        rows.append((level.name, f"`{unique}`", listed))
    counted = ", ".join(f"`{keyword_for_tag(tag)}`" for tag in sorted(COMPUTED))
    return [
        "### Attributes", "",
        "Every attribute that the released objects hold can be matched and returned, at its level",
        "and below (in the Study Root those of the patient are attributes of the study). Not",
        "matched: private attributes, binary values, and attributes of more than 16 KiB.", "",
        *table("level | unique key | further keys", rows),
        f"Counted over what the requester can find: {counted}. Of these only `ModalitiesInStudy`",
        "and `SOPClassesInStudy` are matched. `RetrieveAETitle` and `InstanceAvailability`",
        "(ONLINE) stand in every answer.", "",
    ]  # fmt: skip


def _statuses(table) -> list[str]:
    lines = ["### Status", ""]
    lines += table("C-STORE (receiver) | name",
                   [(f"`0x{each:04X}`", each.name) for each in status.Status])  # fmt: skip
    for operation, meanings in status.QUERY_STATUS_MEANINGS.items():
        rows = [(f"`0x{code:04X}`", text) for code, text in sorted(meanings.items())]
        lines += table(f"{operation} (research side) | meaning", rows)
    return lines


def _web(table) -> list[str]:
    from pathlib import Path  # noqa: PLC0415

    from updp_node.config.research import Web  # noqa: PLC0415

    document = describe(make_app(None, None, Path(), Web()))  # type: ignore[arg-type]
    rows = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            good = {code: each for code, each in operation["responses"].items() if code[0] == "2"}
            media = sorted({kind for each in good.values() for kind in each.get("content", {})})
            codes = ", ".join(sorted(operation["responses"]))
            rows.append((f"`{method.upper()} {path}`", ", ".join(f"`{m}`" for m in media), codes))
    return [
        "## DICOMweb", "",
        "Origin server of Search (QIDO-RS) and Retrieve (WADO-RS), PS3.18 10.4 and 10.6.",
        "Parameters",
        "are those of the OpenAPI document at `/openapi.json`. Fuzzy matching is not done and said",
        "so by a Warning header. Whoever may not see an object is answered as if it were not there",
        "(404).", "",
        *table("resource | media types | status", rows),
    ]  # fmt: skip


def _networking(table) -> list[str]:
    receiver, research = Receiver(allow_any_peer=True), Research()
    target = DimseTarget(name="x", type="dimse", host="x", port=104, ae_title="X")
    rows = [
        (name, str(getattr(receiver, key)), str(getattr(research, key)))
        for name, key in (
            ("AE title", "ae_title"), ("port", "port"),
            ("associations at once", "max_associations"),
            ("associations of one peer at once", "max_associations_per_peer"),
            ("request of the association, TLS included, s", "acse_timeout_s"),
            ("silence within a message, s", "dimse_timeout_s"),
            ("silence between messages, s", "network_timeout_s"),
            ("maximum PDU length received, bytes", "max_pdu_bytes"),
        )
    ]  # fmt: skip
    refusals = [each for each in vars(status).values() if isinstance(each, status.Refusal)]
    return [
        "## Networking", "",
        "All of these are configurable (see [Configuration](configuration.md)); the defaults are:",
        "",
        *table("item | receiver | research side", rows),
        f"The sender waits {target.timeout_s:g} s for a connection, an acceptance and each",
        "response.",
        f"A C-FIND gives up to {research.max_answers} answers, then status 0xA700.", "",
        *table("association refused because | result | source | diagnostic", [
            (f"`{each.reason}`", str(each.result), str(each.source), str(each.diagnostic))
            for each in refusals
        ]),
    ]  # fmt: skip


def _charsets(_: object) -> list[str]:
    names = ", ".join(f"`{term}`" for term in _CODECS)
    return [
        "## Character sets", "",
        "Received objects: all defined terms of PS3.3 C.12.1.1.2, with and without code",
        "extensions.",
        "Released objects: `ISO_IR 192` where text was written anew. Identifiers of queries:",
        "all of",
        "them. Answers: the character set of the request where it is one of the following and can",
        f"carry the answer, else `ISO_IR 192`; none where all is ASCII: {names}. DICOM JSON is",
        "UTF-8.",
        "",
    ]  # fmt: skip


def _security(table) -> list[str]:
    suites = ", ".join(f"`{suite}`" for suite in TLS12_SUITES)
    profiles = []
    for folder in packaged_folders():
        for path in sorted(folder.glob("*.yaml")):
            loaded = load_profile(path)
            options = ", ".join(f"{name} ({OPTION_CODES[name][0]})" for name in loaded.options)
            profiles.append((f"`{loaded.name}`", options or "none"))
    return [
        "## Security", "",
        "Secure transport: BCP 195 TLS Secure Transport Connection Profile (PS3.15 B.9, B.12): TLS",
        f"1.2 and 1.3, mutual authentication, in TLS 1.2 the suites {suites}.",
        "No user identity negotiation. DICOMweb: bearer tokens (RFC 6750), or client certificates.",
        "",
        "Attribute confidentiality (PS3.15 Annex E): as de-identifier, Basic Application Level",
        "Confidentiality Profile with these options, by profile:", "",
        *table("profile | options", profiles),
    ]  # fmt: skip


def _yes(able: bool) -> str:
    return "yes" if able else "no"

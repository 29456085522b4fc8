"""Attributes of CDA elements: codes, numbers and times in the form the standard gives them.

What is not of such a form is left out, so that an attribute can hold no free text but a cleaned
display name.

References
----------
HL7 CDA Release 2 (ISO/HL7 27932), data types Release 1; HL7 Version 3 vocabulary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from updp_node.standard.meanings import find_meaning, speaks_vocabulary
from updp_node.text.content import ContentScrubber
from updp_node.text.markup import Node

XSI_TYPE = "http://www.w3.org/2001/XMLSchema-instance type"
_ENUMERATED: Mapping[str, frozenset[str]] = {
    "classCode": frozenset("DOCCLIN DOCSECT DOCBODY OBS ACT CLUSTER BATTERY PROC ENC SBADM SPLY "
                           "MANU MMAT CONC ACCM CONS CTTEVENT INC INFRM PCPR REG SPCTRT COND"
                           .split()),
    "moodCode": frozenset("EVN INT APT ARQ PRMS PRP RQO DEF GOL PERM SLOT EVN.CRT OPT".split()),
    "typeCode": frozenset("COMP DRIV SUBJ REFR RSON CAUS GEVL MFST SAS SPRT XCRPT CSM REFV"
                          .split()),
    "contextControlCode": frozenset("OP AP AN ON".split()),
    "determinerCode": frozenset({"INSTANCE", "KIND"}),
    "nullFlavor": frozenset("NI NA UNK ASKU NAV NASK MSK OTH INV NINF PINF QS TRC UNC DER".split()),
    "operator": frozenset("I E A H P".split()),
    "mediaType": frozenset({"text/plain", "text/x-hl7-text+xml"}),
    XSI_TYPE: frozenset("CD CE CV CO CS BL INT REAL PQ MO ST ED TS IVL_TS IVL_PQ IVL_INT IVL_REAL "
                        "PIVL_TS EIVL_TS SXCM_TS RTO RTO_PQ_PQ SXCM_INT BXIT_IVL_PQ".split()),
    **{name: frozenset({"true", "false"}) for name in
       ("negationInd", "inversionInd", "independentInd", "contextConductionInd", "inclusive",
        "separatableInd", "institutionSpecified")},
}  # fmt: skip
_STATES = frozenset(
    "completed active aborted cancelled held new suspended normal nullified obsolete final".split()
)
_SCHEMES = {
    "2.16.840.1.113883.6.1": "LN", "2.16.840.1.113883.6.96": "SCT", "1.2.840.10008.2.16.4": "DCM",
    "2.16.840.1.113883.6.8": "UCUM", "2.16.840.1.113883.6.3": "I10",
    "2.16.840.1.113883.6.90": "I10C", "2.16.840.1.113883.6.103": "I9C",
    "2.16.840.1.113883.6.88": "RXNORM", "2.16.840.1.113883.6.69": "NDC",
    "2.16.840.1.113883.6.256": "RADLEX", "2.16.840.1.113883.6.12": "C4",
    "2.16.840.1.113883.12.292": "CVX",
}  # fmt: skip
_HL7_VOCABULARY = "2.16.840.1.113883.5."
_PUBLISHED_TEMPLATES = ("2.16.840.1.113883.10.", "1.3.6.1.4.1.19376.1.", "1.2.840.10008.9.")
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*)){2,30}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]{0,17}")
_NUMBER = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,12})?(?:[eE][+-]?\d{1,3})?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z]{2})?")
_EDITION = re.compile(r"20\d\d-\d\d-\d\d")
_TIMES = frozenset({"effectiveTime", "time"})
_TIME_TYPES = frozenset("TS IVL_TS PIVL_TS EIVL_TS SXCM_TS".split())


class Values:
    """Makes the attributes of elements anew.

    Parameters
    ----------
    writer : ContentScrubber
        Cleans text, moves times, replaces UIDs.
    """

    def __init__(self, writer: ContentScrubber) -> None:
        self._writer = writer
        self._anchors: dict[str, str] = {}

    def attributes_of(self, node: Node, *, is_time: bool) -> dict[str, str]:
        """The new attributes of an element.

        Parameters
        ----------
        is_time : bool
            Its `value` is a point in time.
        """
        made = {
            name: value for name, value in node.attributes.items()
            if value in _ENUMERATED.get(name, ())
        }  # fmt: skip
        if "code" in node.attributes:
            made.update(self._code(node))
        if value := node.attributes.get("value", ""):
            made.update(self._value(value, is_time=is_time))
        if (unit := node.attributes.get("unit", "")) and find_meaning("UCUM", unit):
            made["unit"] = unit
        if node.name == "templateId":
            made.update(_template(node))
        elif node.attributes.get("root"):
            made["root"] = self.replace_id(node)
        return made

    def replace_id(self, node: Node) -> str:
        """A UID in the place of an instance identifier (II): the same for the same."""
        parts = (node.attributes.get("root", ""), node.attributes.get("extension", ""))
        return self._writer.uids.other("^".join(part for part in parts if part))

    def anchor(self, name: str) -> str:
        """A new name for a place in the narrative, the same for the same."""
        return self._anchors.setdefault(name, f"a{len(self._anchors) + 1}")

    def _value(self, value: str, *, is_time: bool) -> dict[str, str]:
        if is_time:
            if self._writer.policy.dates == "remove":
                return {"nullFlavor": "MSK"}
            return {"value": self._writer.move(value, "DATETIME")}
        if value in {"true", "false"}:
            return {"value": value}
        stays = _NUMBER.fullmatch(value) and not self._writer.tells(value)
        return {"value": value} if stays else {"nullFlavor": "MSK"}

    def _code(self, node: Node) -> dict[str, str]:
        """A code of a published system; of any other only what it says, cleaned."""
        value, system = node.attributes["code"], node.attributes.get("codeSystem", "")
        if not system:
            is_known = value in _STATES
            if node.name == "languageCode":
                is_known = _LANGUAGE.fullmatch(value) is not None
            elif node.name == "realmCode":
                is_known = len(value) == 2 and value.isascii() and value.isupper()
            return {"code": value} if is_known else {"nullFlavor": "MSK"}
        scheme = _SCHEMES.get(system, "")
        is_published = bool(scheme) or system.startswith(_HL7_VOCABULARY)
        stays = is_published and _CODE.fullmatch(value) and _OID.fullmatch(system)
        made = {"nullFlavor": "OTH"}
        if stays and not self._writer.tells(value):
            made = {"code": value, "codeSystem": system}
        if name := self._name_of(scheme, value, node.attributes.get("displayName", "")):
            made["displayName"] = name
        return made

    def _name_of(self, scheme: str, value: str, stated: str) -> str:
        meaning = find_meaning(scheme, value) if scheme else None
        if meaning and not (speaks_vocabulary(stated) and not self._writer.tells(stated)):
            return meaning
        return stated if meaning else self._writer.clean(stated)


def is_time(node: Node, inherited: bool) -> bool:
    """Whether values of an element are points in time (TS and intervals of it)."""
    if node.name in {"width", "period", "doseQuantity"}:
        return False
    return inherited or node.name in _TIMES or node.attributes.get(XSI_TYPE) in _TIME_TYPES


def _template(node: Node) -> dict[str, str]:
    root, edition = node.attributes.get("root", ""), node.attributes.get("extension", "")
    if not (root.startswith(_PUBLISHED_TEMPLATES) and _OID.fullmatch(root)):
        return {"nullFlavor": "MSK"}
    return {"root": root, **({"extension": edition} if _EDITION.fullmatch(edition) else {})}

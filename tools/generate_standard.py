"""Write the generated tables of `updp_node.standard` from a folder of source tables.

Run as ``python tools/generate_standard.py FOLDER [TARGET]``. FOLDER holds Table E.1-1 and
Table E.3.4-1 of PS3.15 and the list of safe private elements as CSV, and the Types of the
attributes of every IOD (PS3.3) as compressed JSON. The written tables are never edited by
hand; the loader checks their digests.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

EDITIONS = {
    "confidentiality.json": "PS3.15 Table E.1-1, edition 2026d",
    "content_items.json": "PS3.15 Table E.3.4-1, edition 2026d",
    "safe_private.json": (
        "PS3.15 Table E.3.10-1 (2020) united with a list of 2026 and with what The Cancer Imaging "
        "Archive keeps"
    ),
    "iod_types.json.gz": "PS3.3 modules of the IODs, edition 2026b",
}
OPTION_COLUMNS = {
    "rtn_safe_priv": "Retain Safe Private",
    "rtn_uids": "Retain UIDs",
    "rtn_dev_id": "Retain Device Identity",
    "rtn_inst_id": "Retain Institution Identity",
    "rtn_pat_chars": "Retain Patient Characteristics",
    "rtn_long_full_dates": "Retain Longitudinal Temporal Information With Full Dates",
    "rtn_long_modif_dates": "Retain Longitudinal Temporal Information With Modified Dates",
    "clean_desc": "Clean Descriptors",
    "clean_struct_cont": "Clean Structured Content",
    "clean_graph": "Clean Graphics",
}
CONTENT_COLUMNS = {
    "retain_uids": "Retain UIDs",
    "retain_device_identity": "Retain Device Identity",
    "retain_institution_identity": "Retain Institution Identity",
    "retain_patient_characteristics": "Retain Patient Characteristics",
    "retain_longitudinal_full_dates": "Retain Longitudinal Temporal Information With Full Dates",
    "retain_longitudinal_modified_dates": (
        "Retain Longitudinal Temporal Information With Modified Dates"
    ),
    "clean_descriptors": "Clean Descriptors",
}
KEPT_VRS = frozenset("AT CS DS FD FL IS LO SH SL SS UL US".split())
# VRs of PS3.6 that the table's source lacks: attributes newer than its dictionary
NEWEST_VRS = {
    "NameToUse": "LT",
    "NameToUseComment": "UT",
    "PronounComment": "UT",
    "SexParametersForClinicalUseCategoryComment": "UT",
    "GenderIdentityComment": "UT",
    "SexParametersForClinicalUseCategoryReference": "UR",
    "EthnicGroups": "UC",
    "MontageName": "LT",
    "MontageChannelLabel": "LO",
    "DisplayURI": "UR",
    "DoseCalculationModelName": "LO",
}
# Retired SOP Classes that archives are full of, read by the IOD of their successor (PS3.4 B.6)
RETIRED = {
    "1.2.840.10008.5.1.4.1.1.3": "1.2.840.10008.5.1.4.1.1.3.1",
    "1.2.840.10008.5.1.4.1.1.5": "1.2.840.10008.5.1.4.1.1.20",
    "1.2.840.10008.5.1.4.1.1.6": "1.2.840.10008.5.1.4.1.1.6.1",
    "1.2.840.10008.5.1.4.1.1.12.3": "1.2.840.10008.5.1.4.1.1.12.1",
}


def main(source: Path, target: Path) -> None:
    tables = {
        "confidentiality.json": _dump(_confidentiality(source / "ps3.15-table-e1-1.csv")),
        "content_items.json": _dump(
            _content_items(source / "ps3.15-table-e3-4-1-content-items.csv")
        ),
        "safe_private.json": _dump(
            _safe_private(source / "safe-private.csv", source / "tcia_private_tag_kb.csv.gz")
        ),
        "iod_types.json.gz": gzip.compress(
            _dump(_iod_types(source / "iod_types_compact.json.gz")), compresslevel=9, mtime=0
        ),
    }
    manifest = {}
    for name, content in tables.items():
        (target / name).write_bytes(content)
        manifest[name] = {
            "edition": EDITIONS[name],
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    (target / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="ascii")


def _dump(rows: Any) -> bytes:
    """One row a line, so that a new edition can be compared with the old one."""
    if isinstance(rows, list):
        body = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        return f"[\n{body}\n]\n".encode()
    return json.dumps(rows, separators=(",", ":"), sort_keys=True).encode()


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _confidentiality(path: Path) -> list[list[Any]]:
    return [
        [
            row["tag"].strip("()").split(")")[0],
            row["name"].split(" (see Note")[0],
            row["keyword"],
            row["vr"] or NEWEST_VRS.get(row["keyword"], ""),
            row["retired"] == "Y",
            row["in_std_comp_iod"] == "Y",
            row["basic_prof"],
            {name: row[column] for column, name in OPTION_COLUMNS.items() if row[column]},
        ]
        for row in _read(path)
    ]


def _content_items(path: Path) -> list[list[Any]]:
    return [
        [
            row["code"],
            row["scheme"],
            row["meaning"],
            row["value_type"],
            row["basic"],
            {name: row[column] for column, name in CONTENT_COLUMNS.items() if row[column]},
        ]
        for row in _read(path)
    ]


def _safe_private(path: Path, knowledge: Path) -> list[list[Any]]:
    """The lists of safe elements, and what the knowledge base of the archive says to keep.

    Of the knowledge base numbers and short strings alone: no free text, names, dates, UIDs, bytes.
    """
    listed = [
        [
            int(row["group"], 16),
            int(row["element_low_byte"], 16),
            row["private_creator"],
            row["vr"],
            row["meaning"],
        ]
        for row in _read(path)
    ]
    with gzip.open(knowledge, "rt", encoding="utf-8", newline="") as file:
        kept = [
            [
                int(row["pt_group"]),
                int(row["pt_element"]) & 0xFF,
                row["pt_owner"].strip(),
                row["pt_consensus_vr"],
                row["pt_consensus_name"],
            ]
            for row in csv.DictReader(file)
            if row["pt_consensus_disposition"] == "K"
            and row["pt_consensus_vr"] in KEPT_VRS
            and row["pt_is_specific_to_block"] == "f"
            and int(row["pt_group"]) & 1
        ]
    known = {tuple(row[:3]) for row in listed}
    return listed + [row for row in kept if tuple(row[:3]) not in known]


def _iod_types(path: Path) -> dict[str, Any]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        source = json.load(file)
    classes = dict(source["sop_iod"])
    classes |= {old: classes[new] for old, new in RETIRED.items() if old not in classes}
    return {
        "classes": classes,
        "iods": {
            iod: [
                [module["key"], module["usage"]]
                for module in modules
                if module["key"] in source["module_attr"]
            ]
            for iod, modules in source["iod_module"].items()
        },
        "modules": {name: _tree(rows) for name, rows in source["module_attr"].items()},
    }


def _tree(rows: list[list[str]]) -> dict[str, Any]:
    """Dotted paths as nested tables: keyword to Type, or to [Type, attributes of the items]."""
    tree: dict[str, Any] = {}
    for path, kind in rows:
        level = tree
        *parents, keyword = path.split(".")
        for parent in parents:
            entry = level.setdefault(parent, "")
            if isinstance(entry, str):
                entry = level[parent] = [entry, {}]
            level = entry[1]
        known = "" if kind == "None" else kind
        entry = level.setdefault(keyword, known)
        if isinstance(entry, list) and not entry[0]:
            entry[0] = known
    return tree


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2])
        if len(sys.argv) > 2
        else Path(__file__).parents[1] / "updp_node" / "standard",
    )

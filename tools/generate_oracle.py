"""Write the oracle's own copy of the standard's tables into ``tests/oracle/data``.

Run as ``python tools/generate_oracle.py FOLDER [TARGET]``. FOLDER holds the source tables. The
oracle judges what `updp_node.header` makes, so nothing of `updp_node` or of its generator is
used here: the tables are read a second time. What does not bear on an attribute of Table E.1-1
is left out.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import sys
from collections.abc import Iterable
from pathlib import Path

CONFIDENTIALITY = "ps3.15-table-e1-1.csv"
CONTENT_ITEMS = "ps3.15-table-e3-4-1-content-items.csv"
SAFE_PRIVATE = "safe-private.csv"
IOD_TYPES = "iod_types_compact.json.gz"
EDITIONS = {
    "actions.csv.gz": (CONFIDENTIALITY, "PS3.15 Table E.1-1, edition 2026d"),
    "types.csv.gz": (IOD_TYPES, "PS3.3 Types, edition 2026b, what bears on Table E.1-1"),
    "content.csv.gz": (CONTENT_ITEMS, "PS3.15 Table E.3.4-1, edition 2026d"),
    "private.csv.gz": (SAFE_PRIVATE, "PS3.15 Table E.3.10-1 (2020) united with a list of 2026"),
}


def main(folder: Path, target: Path) -> None:
    actions = read_csv(folder / CONFIDENTIALITY)
    listed = {row[2] for row in actions[1:] if row[2]}
    tables = {
        "actions.csv.gz": actions,
        "types.csv.gz": list(read_types(folder / IOD_TYPES, listed)),
        "content.csv.gz": read_csv(folder / CONTENT_ITEMS),
        "private.csv.gz": read_csv(folder / SAFE_PRIVATE),
    }
    record = {}
    for name, rows in tables.items():
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        content = text.getvalue().encode()
        (target / name).write_bytes(gzip.compress(content, compresslevel=9, mtime=0))
        source, edition = EDITIONS[name]
        record[name] = {
            "edition": edition,
            "source_sha256": hashlib.sha256((folder / source).read_bytes()).hexdigest(),
            "sha256": hashlib.sha256(content).hexdigest(),
            "rows": len(rows),
        }
    (target / "editions.json").write_text(json.dumps(record, indent=2) + "\n", encoding="ascii")


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def read_types(path: Path, listed: set[str]) -> Iterable[list[str]]:
    """Three kinds of rows: class and IOD; IOD, module and usage; module, path and Type."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        source = json.load(file)
    for sop_class, iod in sorted(source["sop_iod"].items()):
        yield ["class", sop_class, iod, ""]
    for iod, modules in sorted(source["iod_module"].items()):
        for module in modules:
            yield ["module", iod, module["key"], module["usage"]]
    for module, attributes in sorted(source["module_attr"].items()):
        wanted = ancestors_of(attributes, listed)
        for dotted, kind in attributes:
            if dotted in wanted:
                yield ["attribute", module, dotted, "" if kind == "None" else kind]


def ancestors_of(attributes: list[list[str]], listed: set[str]) -> set[str]:
    """Paths that end in a listed keyword, and every path above them."""
    wanted: set[str] = set()
    for dotted, _ in attributes:
        steps = dotted.split(".")
        if steps[-1] in listed:
            wanted.update(".".join(steps[:length]) for length in range(1, len(steps) + 1))
    return wanted


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2])
        if len(sys.argv) > 2
        else Path(__file__).parents[1] / "tests" / "oracle" / "data",
    )

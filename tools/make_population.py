"""Write how common combinations of findings are in ChestX-ray14, as the node ships it.

Usage: python tools/make_population.py DATA

DATA holds cxr/metadata/nih_data_entry_2017_v2020.csv.gz. Patients are grouped by the set of
kinds of their images (band, view, labels), so that distinct patients can be counted for every
vocabulary. No id, age, sex or file name is kept. The same input gives the same bytes.
"""

import argparse
import csv
import gzip
import json
from collections import Counter, defaultdict
from pathlib import Path

from updp_node.pixels.anonymity import POPULATION_FILE
from updp_node.pixels.prompt import choose_band

SOURCE = "cxr/metadata/nih_data_entry_2017_v2020.csv.gz"
TERMS = {"effusion": "pleural effusion", "pleural_thickening": "pleural thickening"}
ATTRIBUTION = (
    "NIH Clinical Center, ChestX-ray14 (Data_Entry_2017_v2020.csv), no restrictions on use. "
    "X. Wang, Y. Peng, L. Lu, Z. Lu, M. Bagheri, R. M. Summers, ChestX-ray8: Hospital-scale "
    "Chest X-ray Database and Benchmarks on Weakly-Supervised Classification and Localization "
    "of Common Thorax Diseases, IEEE CVPR 2017, 3462-3471. Changed: counted."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=POPULATION_FILE)
    arguments = parser.parse_args()
    patients: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    with gzip.open(arguments.data / SOURCE, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            labels = (label.strip().lower() for label in row["Finding Labels"].split("|"))
            terms = sorted(TERMS.get(label, label) for label in labels)
            band = choose_band(int(row["Patient Age"]))
            view = f"{row['View Position']} view"
            patients[row["Patient ID"]].add((band, view, *terms))
    kinds = sorted({kind for each in patients.values() for kind in each})
    number = {kind: index for index, kind in enumerate(kinds)}
    sets = Counter(tuple(sorted(number[kind] for kind in each)) for each in patients.values())
    content = {
        "name": "ChestX-ray14",
        "attribution": ATTRIBUTION,
        "kinds": kinds,
        "patients": sorted(sets.items()),
    }
    encoded = json.dumps(content, separators=(",", ":")).encode()
    arguments.out.write_bytes(gzip.compress(encoded, mtime=0))
    print(f"{len(patients)} patients, {len(kinds)} kinds, {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()

"""``python -m tools.midi generate FOLDER``, ``python -m tools.midi score FOLDER RELEASED MAP``."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools.midi.generate import generate
from tools.midi.score import failures_by_cause, score


def main() -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(prog="python -m tools.midi")
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("generate", help="write objects and their answer key")
    make.add_argument("folder", type=Path)
    make.add_argument("--instances", type=int, default=1000)
    make.add_argument("--seed", type=int, default=1)
    judge = commands.add_parser("score", help="judge released files by the key")
    judge.add_argument("folder", type=Path)
    judge.add_argument("released", type=Path)
    judge.add_argument("map", type=Path, help="as updp-node deidentify --map writes it")
    judge.add_argument("--failures", type=int, default=20, help="causes to show")
    told = parser.parse_args()
    if told.command == "generate":
        print(generate(told.folder, instances=told.instances, seed=told.seed), "instances")
        return
    result = score(told.folder, told.released, told.map)
    print(result.table())
    print(f"\n{result.missing} instances without a released file")
    for name, count, example in list(failures_by_cause(result.failures))[: told.failures]:
        told_by = f"{example.file} {example.path}: {example.expected!r} -> {example.found!r}"
        print(f"{count:5} {name}\n      {told_by}")


if __name__ == "__main__":
    main()

"""All benchmarks, one after the other: ``python -m tests.benchmarks [--quick]``."""

import runpy
import sys


def main() -> None:
    """Run each with the arguments given."""
    for module, title in (
        ("tests.benchmarks.receive", "Receiving"),
        ("tests.benchmarks.line", "The whole line"),
        ("tests.benchmarks.header", "Header de-identification"),
        ("tests.benchmarks.synthesis", "The generative filter"),
        ("tests.benchmarks.text", "The text engine"),
    ):
        print(f"\n## {title}\n", flush=True)
        sys.argv[0] = module
        runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    main()

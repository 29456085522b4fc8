"""Hostile files: samples of every kind, and a seeded mutator that damages them."""

from tests.hostile.mutator import MUTATIONS, Case, make_cases
from tests.hostile.pieces import make_bomb
from tests.hostile.samples import make_sample

__all__ = ["MUTATIONS", "Case", "make_bomb", "make_cases", "make_sample"]

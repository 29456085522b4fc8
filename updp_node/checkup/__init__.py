"""``updp-node check``: the effective plan in words, and proof that it can be carried out."""

from updp_node.checkup.plan import examine_plan
from updp_node.checkup.statements import Statement

__all__ = ["Statement", "examine_plan"]

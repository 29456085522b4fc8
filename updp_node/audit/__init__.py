"""``updp-node audit``: what a node received, held back and released, in counts alone."""

from updp_node.audit.groups import Characteristics, measure_groups, read_characteristics
from updp_node.audit.run import audit_node

__all__ = ["Characteristics", "audit_node", "measure_groups", "read_characteristics"]

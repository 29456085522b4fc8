"""The gate: a second opinion on every outgoing byte, and the only maker of `Verified`.

It shares no code with the stages. What it knows of the source it reads from the source
itself; what it is told of the profile is what the profile retains, and by how many days
dates were moved.
"""

from updp_node.verify.evidence import Allowances, Evidence, read_evidence
from updp_node.verify.gate import reaffirm, verify

__all__ = ["Allowances", "Evidence", "read_evidence", "reaffirm", "verify"]

"""What C-FIND must answer, computed from released files alone: an own reading of PS3.4 C.

Nothing of `updp_node` is imported here, so that a misreading of the standard in one is not
shared by the other. Where the standard leaves a choice to the implementer, a `Reading` says
which choice; a query is a fair test if its answers are the same under every reading.
"""

from tests.oracle_query.answers import Answer, answer, same_under_every_reading
from tests.oracle_query.canonical import canonical
from tests.oracle_query.information import Information, Instance, level_of, read_information
from tests.oracle_query.matching import ADMISSIBLE, DEVIATING, READINGS, STRICT, Reading, matches

__all__ = [
    "ADMISSIBLE", "DEVIATING", "READINGS", "STRICT", "Answer", "Information", "Instance",
    "Reading", "answer", "canonical", "level_of", "matches", "read_information",
    "same_under_every_reading",
]  # fmt: skip

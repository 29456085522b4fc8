"""The tables of the standard that the node asks: generated, with edition and digest.

See `updp_node.standard.tables` for the loader and ``tools/generate_standard.py`` for where
the tables come from.
"""

from updp_node.standard.charsets import complete_pydicom
from updp_node.standard.tables import (
    OPTION_CODES,
    ConfidentialityRow,
    ContentItemRow,
    SafePrivateRow,
    TypeNode,
    attribute_type,
    confidentiality_rows,
    content_items,
    edition,
    iod_keywords,
    iod_types,
    required_keywords,
    safe_private,
)

__all__ = [
    "OPTION_CODES",
    "ConfidentialityRow",
    "ContentItemRow",
    "SafePrivateRow",
    "TypeNode",
    "attribute_type",
    "confidentiality_rows",
    "content_items",
    "edition",
    "iod_keywords",
    "iod_types",
    "required_keywords",
    "safe_private",
]

complete_pydicom()

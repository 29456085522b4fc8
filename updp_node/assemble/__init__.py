"""New SOP instances: counterparts, scrubbed reports, kept objects; and their encoding."""

from updp_node.assemble.cleaned import assemble_cleaned
from updp_node.assemble.encapsulated import assemble_document
from updp_node.assemble.encode import encode
from updp_node.assemble.image import assemble_counterpart, assemble_kept
from updp_node.assemble.provenance import Provenance
from updp_node.assemble.report import assemble_report

__all__ = [
    "Provenance", "assemble_cleaned", "assemble_counterpart", "assemble_document", "assemble_kept",
    "assemble_report", "encode",
]  # fmt: skip

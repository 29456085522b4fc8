"""updp_node: a DICOM node that de-identifies studies and shares synthetic counterparts."""

__version__ = "0.1.0"

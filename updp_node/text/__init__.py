"""The text stage: identifiers out of reports, findings kept."""

"""The reproducible study behind docs/evidence.md: figures of the shipped models on open data."""

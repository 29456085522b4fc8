"""Seeded radiology reports with gold spans, and how much of them the text engine finds."""

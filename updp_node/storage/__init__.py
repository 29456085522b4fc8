"""Staged and released files, and the two indexes over them."""

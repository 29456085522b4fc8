"""Tests of updp_node; a package so that suites share `tests.factories`."""

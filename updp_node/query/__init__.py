"""Queries over released objects: what a requester asks, apart from how it came and is answered."""

from updp_node.query.keys import Key, QueryError
from updp_node.query.levels import Level, Model
from updp_node.query.query import Query, Selection

__all__ = ["Key", "Level", "Model", "Query", "QueryError", "Selection"]

"""The configuration of a node: one YAML file, every key known, every fault named."""

from updp_node.config.load import load_config, load_research, packaged_policy
from updp_node.config.node import (
    Condition,
    Config,
    DimseTarget,
    FolderTarget,
    Receiver,
    Route,
    Target,
)
from updp_node.config.research import Research, ResearchFile
from updp_node.config.sections import PeerRule, Tls

__all__ = [
    "Condition",
    "Config",
    "DimseTarget",
    "FolderTarget",
    "PeerRule",
    "Receiver",
    "Research",
    "ResearchFile",
    "Route",
    "Target",
    "Tls",
    "load_config",
    "load_research",
    "packaged_policy",
]

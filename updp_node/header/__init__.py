"""The header stage: profiles, compiled rules, and a new data set in which every tag had a rule."""

from updp_node.header.profile import Profile, load_profile
from updp_node.header.rules import CompiledProfile, Rule, compile_profile
from updp_node.header.stage import deidentify

__all__ = [
    "CompiledProfile",
    "Profile",
    "Rule",
    "compile_profile",
    "deidentify",
    "load_profile",
]

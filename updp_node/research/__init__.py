"""The research side: query and retrieve over the released zone, and nothing but it."""

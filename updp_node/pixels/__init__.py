"""The pixel stage: what happens to the pixels of an instance, and the synthetic counterpart.

Only `generator`, `network` and what they import need torch; `frames` and `filter` do not.
"""

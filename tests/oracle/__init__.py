"""The oracle: a second reading of PS3.15 Table E.1-1 and of the Types of PS3.3.

It judges what `updp_node.header` makes of whole instances. Nothing of `updp_node` is imported
here: the tables, the composite codes, the dates and the validity of values are read anew.
"""

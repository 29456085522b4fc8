"""The demonstration: a study goes through a scratch node, and what arrives is shown.

Run by ``scripts/demo [FOLDER]``. Everything happens on this machine: the "PACS" and the
research side are pynetdicom's own programs, the node is ``updp-node serve`` as a process.
"""

"""A benchmark in the shape of the MIDI-B challenge.

Objects with planted identifiers, the key of what a curator would have removed and kept, and a
scorer that shares no code with the node.
"""

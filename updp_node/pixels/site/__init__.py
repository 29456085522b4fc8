"""A site's own generators: a local diffusers folder, or an external process.

Nothing of a folder is believed. `inspection` looks at every file without a library that could
run code; `manifest` is what an operator approved, by its digest; `snapshot` copies the bytes
it hashes, and `loading` gets that copy alone.
"""

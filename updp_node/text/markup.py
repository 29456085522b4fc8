"""Small XML trees: read without document types and entities, written anew.

The parser is expat with its own defences; a document type declaration is refused outright, so
that no entity, internal or external, is ever declared or expanded.

References
----------
XML 1.0 (document type declaration 2.8, entities 4); Namespaces in XML 1.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat  # document types are refused, see `_Builder`
from xml.sax.saxutils import escape, quoteattr  # writes only

from updp_node.errors import InstanceError

_DEEPEST, _MOST_ELEMENTS, _MOST_BYTES = 100, 200_000, 32 * 2**20


@dataclass(slots=True)
class Node:
    """An element.

    Attributes
    ----------
    name : str
        Local name.
    space : str
        Namespace.
    attributes : dict
        By local name, with the namespace and a space before it where it has one.
    children : list of Node or str
    """

    name: str
    space: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    @property
    def elements(self) -> list[Node]:
        """The children that are elements."""
        return [child for child in self.children if isinstance(child, Node)]

    def texts(self) -> Iterator[str]:
        """Every text below, in order."""
        for child in self.children:
            if isinstance(child, str):
                yield child
            else:
                yield from child.texts()


def read_markup(content: bytes) -> Node:
    """Read a document; comments and processing instructions are left out.

    Raises
    ------
    InstanceError
        ``unreadable-document``: not well formed, a document type declaration, or beyond all
        measure.
    """
    if len(content) > _MOST_BYTES:
        raise InstanceError("unreadable-document", "too large")
    builder = _Builder()
    try:
        builder.parser.Parse(content.rstrip(b"\0"), True)
    except (expat.ExpatError, ValueError, LookupError):
        raise InstanceError("unreadable-document", "not well formed") from None
    return builder.top.elements[0]


class _Builder:
    def __init__(self) -> None:
        self.top = Node("", "")
        self._open = [self.top]
        self._count = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _refuse
        self.parser.EntityDeclHandler = _refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._add_text

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) > _DEEPEST or self._count > _MOST_ELEMENTS:
            raise InstanceError("unreadable-document", "too many elements")
        space, _, local = name.rpartition(" ")
        node = Node(local, space, attributes)
        self._open[-1].children.append(node)
        self._open.append(node)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _add_text(self, text: str) -> None:
        self._open[-1].children.append(text)


def _refuse(*_: object) -> None:
    raise InstanceError("unreadable-document", "it declares a document type")


def write_markup(root: Node, prefixes: dict[str, str]) -> bytes:
    """The document in UTF-8; every element is of the root's namespace.

    Parameters
    ----------
    prefixes : dict
        Prefix of each further namespace that attributes have.
    """
    spaces = {f"xmlns:{prefix}": space for space, prefix in prefixes.items()}
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write(root, prefixes, {"xmlns": root.space, **spaces}, parts)
    return "".join(parts).encode("utf-8")


def _write(node: Node, prefixes: dict[str, str], more: dict[str, str], parts: list[str]) -> None:
    named = dict(more)
    for name, value in node.attributes.items():
        space, _, local = name.rpartition(" ")
        named[f"{prefixes[space]}:{local}" if space else local] = value
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in named.items())
    if not node.children:
        parts.append(f"<{node.name}{attributes}/>")
        return
    parts.append(f"<{node.name}{attributes}>")
    for child in node.children:
        if isinstance(child, str):
            parts.append(escape(child))
        else:
            _write(child, prefixes, {}, parts)
    parts.append(f"</{node.name}>")

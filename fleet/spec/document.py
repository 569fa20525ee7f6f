"""Bytes to YAML nodes: the file as such, before anything in it has a meaning.

Takes a file's bytes, gives PyYAML's root node (each node knows its file and line), or SpecError
with one fault: too large, not text, not YAML, several documents, references without end.
"""

from __future__ import annotations

import shlex

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from fleet.errors import Fault, SpecError
from fleet.spec import syntax

LARGEST = 1024 * 1024
MOST_VALUES = 20_000

_TAGS = frozenset(
    "tag:yaml.org,2002:" + tag
    for tag in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map", "merge", "value")
)


def unreadable(file: str, error: OSError) -> SpecError:
    """The fault of a file that cannot be read at all."""
    return SpecError((Fault(file, 0, *reason(error, file)),))


def reason(error: OSError, path: str) -> tuple[str, str]:
    """Why a file cannot be read, and what to do."""
    if isinstance(error, FileNotFoundError):
        return "is not there", "check the path"
    if isinstance(error, IsADirectoryError):
        return "is a folder", "name the file in it"
    if isinstance(error, PermissionError):
        return "may not be read by you", f"chmod u+r {shlex.quote(path)}"
    return f"cannot be read ({error.strerror or type(error).__name__})", "check the path"


def decode(content: bytes, *, file: str) -> str:
    """The text of a file in UTF-8, with or without a byte order mark."""
    if len(content) > LARGEST:
        message = f"has {len(content)} bytes, and 1 MiB is the most"
        raise _fault(file, 0, message, "check that it is the right file")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _fault(file, 0, "is UTF-16", "save it as UTF-8")
    if b"\0" in content:
        raise _fault(file, 0, "is a binary file", "name a text file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The error's position counts in what was decoded, which is without the mark.
        start = error.start + (3 if content.startswith(b"\xef\xbb\xbf") else 0)
        line = content.count(b"\n", 0, start) + 1
        message = f"has the byte 0x{error.object[error.start]:02x}, which is not UTF-8"
        raise _fault(file, line, message, "save the file as UTF-8") from None


def parse(content: bytes, *, file: str, newcomer: str) -> MappingNode:
    """The root map of a YAML file; `newcomer` is what to do where there is none."""
    text = decode(content, file=file)
    try:
        root = _compose(text, file=file)
        if root is None or (isinstance(root, ScalarNode) and root.tag.endswith(":null")):
            raise _fault(file, 0, "is empty", newcomer)
        _unfolded(root, {}, set(), file)
    except RecursionError:
        message = "is nested too deeply"
        raise _fault(file, 0, message, "three levels are enough") from None
    if not isinstance(root, MappingNode):
        what = "a list" if isinstance(root, SequenceNode) else "a single text"
        raise _fault(file, _line(root), f"{what} stands where keys belong", newcomer)
    return root


def _compose(text: str, *, file: str) -> Node | None:
    try:
        loader = yaml.SafeLoader(text)
        loader.name = file
        node: Node | None = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise _fault(file, *syntax.explain(error, lines=len(text.splitlines()))) from None
    except yaml.reader.ReaderError as error:
        code = error.character if isinstance(error.character, int) else ord(error.character)
        line = text.count("\n", 0, error.position) + 1
        message = f"has the control character U+{code:04X}"
        raise _fault(file, line, message, "remove that character") from None
    except (ValueError, OverflowError):
        message = "has an escape or a number that YAML cannot hold"
        raise _fault(file, 0, message, "look for \\U and for %YAML in it") from None
    return node


def _unfolded(node: Node, sizes: dict[int, int], around: set[int], file: str) -> int:
    """How many values a node has with all references unfolded; each node is visited once.

    Refuses tags (they make objects), references to themselves, and more values than anyone writes.
    """
    if node.tag not in _TAGS:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")[:40]
        raise _fault(file, _line(node), f"has the tag {tag!a}", "remove the tag")
    if id(node) in around:
        raise _fault(file, _line(node), "has a reference to itself", "write the value out")
    if id(node) not in sizes:
        around.add(id(node))
        sizes[id(node)] = 1
        for child in _children(node):
            sizes[id(node)] += _unfolded(child, sizes, around, file)
        around.remove(id(node))
    if sizes[id(node)] > MOST_VALUES:
        message = f"has more than {MOST_VALUES} values, references unfolded"
        raise _fault(file, _line(node), message, "write only what is needed")
    return sizes[id(node)]


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, SequenceNode) else []


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _fault(file: str, line: int, message: str, remedy: str) -> SpecError:
    return SpecError((Fault(file, line, message, remedy),))

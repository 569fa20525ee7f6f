"""Bytes to YAML nodes: the file as such, before anything in it has a meaning.

Takes a file's bytes, gives PyYAML's root node (each node knows its file and line), or SpecError with one fault:
too large, not text, not YAML, more than one document, references that unfold without end.
"""

from __future__ import annotations

import re

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from fleet.errors import Fault, SpecError

LARGEST = 1024 * 1024
MOST_VALUES = 20_000
NEWCOMER = "copy examples/workshop.yaml and change it"

_TAGS = frozenset(
    "tag:yaml.org,2002:" + tag
    for tag in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map", "merge", "value")
)


def unreadable(file: str, error: OSError) -> SpecError:
    """The fault of a file that cannot be read at all."""
    if isinstance(error, FileNotFoundError):
        message, remedy = "there is no such file", f"check the path, or {NEWCOMER}"
    elif isinstance(error, IsADirectoryError):
        message, remedy = "is a folder", "name the file in it"
    elif isinstance(error, PermissionError):
        message, remedy = "may not be read", f"chmod u+r {file}"
    else:
        message, remedy = f"cannot be read ({error.strerror or type(error).__name__})", "try again"
    return SpecError((Fault(file, 0, message, remedy),))


def decode(content: bytes, *, file: str) -> str:
    """The text of a file in UTF-8, with or without a byte order mark."""
    if len(content) > LARGEST:
        raise _fault(
            file, 0, f"has {len(content)} bytes, 1 MiB is the most", "name a spec or a roster"
        )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _fault(file, 0, "is UTF-16", "save it as UTF-8")
    if b"\0" in content:
        raise _fault(file, 0, "is a binary file", "name a text file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        wrong = f"has the byte 0x{content[error.start]:02x}, which is not UTF-8"
        raise _fault(file, line, wrong, "save the file as UTF-8") from None


def parse(content: bytes, *, file: str) -> MappingNode:
    """The root map of a YAML file."""
    text = decode(content, file=file)
    root = _compose(text, file=file)
    if root is None or (isinstance(root, ScalarNode) and root.tag.endswith(":null")):
        raise _fault(file, 0, "is empty", NEWCOMER)
    if not isinstance(root, MappingNode):
        what = "a list" if isinstance(root, SequenceNode) else "a single text"
        raise _fault(
            file, _line(root), f"{what} stands where keys belong", "begin with name: workshop"
        )
    _check_nodes(root, file=file)
    return root


def _compose(text: str, *, file: str) -> Node | None:
    try:
        loader = yaml.SafeLoader(text)
        loader.name = file
        node: Node | None = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, text, file=file) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        code = error.character if isinstance(error.character, int) else ord(error.character)
        wrong = f"has the control character U+{code:04X}"
        raise _fault(file, line, wrong, "remove that character") from None
    except RecursionError:
        raise _fault(
            file, 0, "is nested too deeply", "three levels are enough for any spec"
        ) from None
    except (ValueError, OverflowError):
        raise _fault(
            file, 0, "has a number or an escape that YAML cannot hold", "write it shorter"
        ) from None
    return node


# PyYAML has no codes for its errors: its words are all there is to tell them apart by.
_SYNTAX = (
    (r"character '\\t'", "a tab stands where YAML wants blanks", "indent with blanks"),
    (r"expected a single document", "a second document begins", "keep one, and remove the ---"),
    (r"undefined alias", "a reference (*) has no anchor (&) before it", "write the value itself"),
    (r"character '([@`%!&*|>])'", "a value begins with {0}", "put quotes around the value"),
    (
        r"expected alphabetic or numeric character",
        "a value begins with * or &",
        "put quotes around the value",
    ),
    (
        r"unknown escape|escape sequence",
        "a \\ in double quotes",
        "use single quotes, or write \\\\",
    ),
    (
        r"mapping values are not allowed",
        "a ': ' too many, or wrong indentation",
        "quote the text that has ': ' in it",
    ),
    (r"could not find expected ':'", "a key without a ':'", "write it as key: value"),
    (
        r"expected ',' or '([\]}])'",
        "a bracket or a comma is missing",
        "close the list or map with {0}",
    ),
    (r"quoted scalar", "a quotation mark is not closed", "close it on the same line"),
    (
        r"expected <block end>",
        "the indentation does not fit the lines above",
        "align it with the keys beside it",
    ),
    (
        r"expected the node content",
        "a value is missing or a bracket too many",
        "give a value, or remove it",
    ),
)


def _not_yaml(error: yaml.MarkedYAMLError, text: str, *, file: str) -> SpecError:
    said = f"{error.context or ''}; {error.problem or ''}"
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 0
    last = text.count("\n") + (not text.endswith("\n"))
    line = min(line, max(last, 1))
    for pattern, message, remedy in _SYNTAX:
        if found := re.search(pattern, said):
            return _fault(
                file,
                line,
                f"is not YAML, {message}".format(*found.groups()),
                remedy.format(*found.groups()),
            )
    return _fault(
        file, line, f"is not YAML ({error.problem})", "correct this line or the one before"
    )


def _check_nodes(root: Node, *, file: str) -> None:
    """Refuse foreign tags, references to themselves, and more values than anyone would write."""
    sizes: dict[int, int] = {}
    _count(root, sizes, set(), file)


def _count(node: Node, sizes: dict[int, int], open_: set[int], file: str) -> int:
    """How many values a node has with all references unfolded; each node is visited once."""
    if node.tag not in _TAGS:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        raise _fault(
            file, _line(node), f"has the tag {tag!a}, which means nothing here", "remove the tag"
        )
    if id(node) in open_:
        raise _fault(file, _line(node), "has a reference to itself", "write the value out")
    if id(node) not in sizes:
        open_.add(id(node))
        sizes[id(node)] = 1 + sum(_count(child, sizes, open_, file) for child in _children(node))
        open_.remove(id(node))
    if sizes[id(node)] > MOST_VALUES:
        wrong = f"unfolds to more than {MOST_VALUES} values"
        raise _fault(file, _line(node), wrong, "write the values out instead of referring to them")
    return sizes[id(node)]


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, CollectionNode) else []


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _fault(file: str, line: int, message: str, remedy: str) -> SpecError:
    return SpecError((Fault(file, line, message, remedy),))

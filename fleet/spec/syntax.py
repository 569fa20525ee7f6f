"""YAML's syntax errors in the words of the person who wrote the file.

Takes PyYAML's error, gives line, message and remedy. PyYAML has no codes for its errors: its words
are all there is to tell them apart by.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import yaml


@dataclass(frozen=True)
class Known:
    """An error by PyYAML's words. `from_start` points to where an unclosed thing begins."""

    words: str
    message: str
    remedy: str
    from_start: bool = False


_KNOWN = (
    Known(r"found character '\\t'", "a tab stands where YAML wants blanks", "indent with blanks"),
    Known("expected a single document", "a second document begins here", "keep one, without ---"),
    Known(
        "found undefined alias",
        "a reference (*) to nothing",
        "put quotes around a text that begins with *",
    ),
    Known(
        r"found character '([@`%!&*|>])'",
        "a text begins with {0}",
        "put quotes around the text",
    ),
    Known(
        "expected alphabetic or numeric character",
        "a text begins with * or &",
        "put quotes around the text",
    ),
    Known("escape", "a \\ means something in double quotes", "use single quotes"),
    Known(
        "mapping values are not allowed",
        "a ':' too many, or the line before is not finished",
        "put quotes around a text with ': ' in it",
    ),
    Known("could not find expected ':'", "a key without a ':'", "write it like name: workshop"),
    Known(
        r"expected ',' or '([\]}])'",
        "the list or map that begins here is not closed",
        "close it with {0}",
        from_start=True,
    ),
    Known(
        "quoted scalar",
        "the quotation mark that begins here is not closed",
        "close it on the same line",
        from_start=True,
    ),
    Known(
        "expected <block end>",
        "this line does not fit the ones above",
        "align it with the keys beside it",
    ),
    Known(
        "sequence entries are not allowed",
        "a list begins on the line of its key",
        "begin it on the next line, or write [ana, ben]",
    ),
    Known(
        "expected the node content",
        "a value is missing here, or a bracket is too many",
        "give the value, or remove the bracket",
    ),
)


def explain(error: yaml.MarkedYAMLError, *, lines: int) -> tuple[int, str, str]:
    """Line, message and remedy. Errors at the end of the file are told of its last line."""
    said = f"{error.context or ''}; {error.problem or ''}"
    for known in _KNOWN:
        if found := re.search(known.words, said):
            line = _line(error, from_start=known.from_start, lines=lines)
            message = f"is not YAML, {known.message.format(*found.groups())}"
            return line, message, known.remedy.format(*found.groups())
    problem = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(error.problem))[:100]
    line = _line(error, from_start=False, lines=lines)
    return line, f"is not YAML ({problem})", "correct this line or the one before it"


def _line(error: yaml.MarkedYAMLError, *, from_start: bool, lines: int) -> int:
    first, second = error.problem_mark, error.context_mark
    mark = (second or first) if from_start else (first or second)
    return min(mark.line + 1, max(lines, 1)) if mark else 0

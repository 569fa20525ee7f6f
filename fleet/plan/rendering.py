"""Renders templates: the one place that knows Jinja. Text in, text out; pure.

A name that a template uses and nobody gives is an error. Templates are kept compiled: to compile those of a bootstrap
takes longer than all else that is computed for a host, and every host's script comes from the same texts.
"""

from __future__ import annotations

import functools
import re
import shlex
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType, MappingProxyType
from typing import Any

import jinja2
import jinja2.sandbox

_MOST_TEMPLATES = 64
"""Kept compiled. A run of ours uses about 40."""
_MOST_FOLDERS = 8
"""Sets of parts, each with an environment of its own."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$-])")

_Parts = tuple[tuple[str, str], ...]


class RenderingError(ValueError):
    """A template that cannot be rendered, in Jinja's words. `line` is where, 0 where that is not known."""

    def __init__(self, why: Exception, line: int) -> None:
        super().__init__(str(why))
        self.line = line


def render(text: str, parts: Mapping[str, str] = MappingProxyType({}), **values: Any) -> str:
    """Render a template of ours for bash, YAML or a unit; it may include `parts` by name.

    Nothing is escaped by itself: a value passes `| q` (one word of bash) or `| in_unit`.
    """
    return _script(text, tuple(sorted(parts.items()))).render(**values)


@dataclass(frozen=True)
class PageTemplate:
    """A compiled template of a page."""

    compiled: jinja2.Template

    def render(self, **values: Any) -> str:
        """Render it. Raises RenderingError."""
        try:
            return self.compiled.render(**values)
        # What a template does with values that exist, such as adding a number to a text.
        except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise RenderingError(error, _line(error)) from error


@functools.lru_cache(_MOST_TEMPLATES)
def compile_page(text: str, *, html: bool) -> PageTemplate:
    """Compile a page's template, which may be somebody's own: it runs in Jinja's sandbox. Raises RenderingError.

    Values in HTML are escaped; elsewhere `| md` takes the meaning that they have in Markdown.
    """
    try:
        return PageTemplate(_pages(html=html).from_string(text))
    except jinja2.TemplateSyntaxError as error:
        raise RenderingError(error, error.lineno) from error


@functools.lru_cache(_MOST_TEMPLATES)
def _script(text: str, parts: _Parts) -> jinja2.Template:
    return _scripts(parts).from_string(text)


@functools.lru_cache(_MOST_FOLDERS)
def _scripts(parts: _Parts) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(dict(parts)),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - renders bash and YAML; every value passes `| q`
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["q"] = shlex.quote
    environment.filters["in_unit"] = _in_unit
    return environment


@functools.cache
def _pages(*, html: bool) -> jinja2.Environment:
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = _plain_markdown
    return environment


def _in_unit(text: str) -> str:
    """Quote a text as one word of a unit, in a here-document that bash expands."""
    for character in ("\\", '"'):
        text = text.replace(character, f"\\{character}")
    text = text.replace("%", "%%")
    for character in ("\\", "$", "`"):
        text = text.replace(character, f"\\{character}")
    return f'"{text}"'


def _plain_markdown(text: str) -> str:
    """Take every special meaning from a text."""
    return _MARKDOWN.sub(r"\\\1", text)


def _line(error: Exception) -> int:
    """Find in which line of the template an error arose. Jinja calls a template's file `<template>`."""
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if _is_template(frame)]
    return lines[-1] if lines else 0


def _is_template(frame: FrameType) -> bool:
    return frame.f_code.co_filename == "<template>"

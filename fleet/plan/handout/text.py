"""Renders hand-outs: a person's HTML and Markdown, the overview and the CSV. Text in, text out; pure.

HTML is autoescaped, and templates run in Jinja's sandbox: one that somebody brings along reads `page` and nothing else.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import jinja2
import jinja2.sandbox
from markupsafe import Markup

from fleet.errors import UsageError
from fleet.plan.csv_text import csv_text
from fleet.plan.handout.pages import Overview, Page
from fleet.plan.handout.qr import qr_svg
from fleet.plan.tags import expiry_text

OVERVIEW = "overview.html"
TABLE = "overview.csv"

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$-])")
_HEADINGS = (
    "member", "state", "page", "jupyter_url", "tensorboard_url", "ssh", "instance_type", "hourly_usd",
    "expires_at", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class HandoutTexts:
    """Template texts. `page_name` is how a message names the page's, which may be somebody's own."""

    page: str
    markdown: str
    overview: str
    page_name: str = "handout.html.j2"


def render_handouts(texts: HandoutTexts, overview: Overview) -> dict[str, str]:
    """Render all files of a hand-out, by file name. Raises UsageError where a template cannot be rendered."""
    page = _template(texts.page, texts.page_name, html=True)
    markdown = _template(texts.markdown, "handout.md.j2", html=False)
    everybody = _template(texts.overview, "overview.html.j2", html=True)
    files = {OVERVIEW: everybody(overview=overview), TABLE: _table(overview)}
    for one in overview.pages:
        qr = Markup(qr_svg(one.qr_text)) if one.qr_text else None  # noqa: S704 - drawn by us
        files[f"{one.alias}.html"] = page(page=one, qr=qr)
        files[f"{one.alias}.md"] = markdown(page=one)
    return files


def _template(text: str, name: str, *, html: bool) -> Callable[..., str]:
    """Compile a template; gives what renders it."""
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = _plain_markdown
    try:
        compiled = environment.from_string(text)
    except jinja2.TemplateSyntaxError as error:
        raise _refused(f"{name}:{error.lineno}", error) from error

    def render(**values: Any) -> str:
        try:
            return compiled.render(**values)
        # What a template does with values that exist, such as adding a number to a text.
        except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise _refused(f"{name}{_line(error)}", error) from error

    return render


def _line(error: Exception) -> str:
    """Say in which line of the template an error arose. Jinja calls a template's file `<template>`."""
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if _is_template(frame)]
    return f":{lines[-1]}" if lines else ""


def _is_template(frame: FrameType) -> bool:
    return frame.f_code.co_filename == "<template>"


def _refused(place: str, error: Exception) -> UsageError:
    return UsageError(
        f"{place}: the template cannot be rendered ({error})",
        remedy="docs/handout.md lists the names that a template may use",
    )


def _plain_markdown(text: str) -> str:
    """Take every special meaning from a text."""
    return _MARKDOWN.sub(r"\\\1", text)


def _table(overview: Overview) -> str:
    return csv_text(_HEADINGS, [_row(page) for page in overview.pages])


def _row(page: Page) -> tuple[str, ...]:
    return (
        page.member,
        page.state,
        f"{page.alias}.html",
        page.jupyter_url or "",
        page.tensorboard_url or "",
        page.ssh,
        page.instance_type or "",
        "" if page.hourly_usd is None else str(page.hourly_usd),
        expiry_text(page.expires_at),
        page.reason,
    )

"""Renders hand-outs: a person's HTML and Markdown, the overview and the CSV. Text in, text out; pure.

HTML is autoescaped, and templates run in Jinja's sandbox: one that somebody brings along reads `page` and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from fleet.errors import UsageError
from fleet.plan.csv_text import csv_text
from fleet.plan.handout.pages import Overview, Page
from fleet.plan.handout.qr import qr_svg
from fleet.plan.rendering import RenderingError, compile_page
from fleet.plan.tags import expiry_text

OVERVIEW = "overview.html"
TABLE = "overview.csv"

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
    page = _compile(texts.page, texts.page_name, html=True)
    markdown = _compile(texts.markdown, "handout.md.j2", html=False)
    everybody = _compile(texts.overview, "overview.html.j2", html=True)
    files = {OVERVIEW: everybody(overview=overview), TABLE: _table(overview)}
    for one in overview.pages:
        qr = Markup(qr_svg(one.qr_text)) if one.qr_text else None  # noqa: S704 - drawn by us
        files[f"{one.alias}.html"] = page(page=one, qr=qr)
        files[f"{one.alias}.md"] = markdown(page=one)
    return files


def _compile(text: str, name: str, *, html: bool) -> Callable[..., str]:
    """Compile a template; gives what renders it. Either says where in the template `name` a fault is."""
    with _told_as(name):
        template = compile_page(text, html=html)

    def rendered(**values: Any) -> str:
        with _told_as(name):
            return template.render(**values)

    return rendered


@contextmanager
def _told_as(name: str) -> Iterator[None]:
    try:
        yield
    except RenderingError as error:
        place = f"{name}:{error.line}" if error.line else name
        raise UsageError(
            f"{place}: the template cannot be rendered ({error})",
            remedy="docs/handout.md lists the names that a template may use",
        ) from error


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

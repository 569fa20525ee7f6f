"""A hand-out's templates, and its files: 0600 each, in a folder that is 0700 where it is made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fleet.assets.private_files import write_private
from fleet.assets.shipped import shipped
from fleet.errors import FleetError, UsageError
from fleet.plan.handout.text import HandoutTexts


def load_handout_texts(page: Path | None) -> HandoutTexts:
    """Read the templates; `page` takes the place of the page's own. Raises UsageError where it cannot be read."""
    templates = shipped("templates")
    markdown = (templates / "handout.md.j2").read_text("utf-8")
    overview = (templates / "overview.html.j2").read_text("utf-8")
    if page is None:
        text = (templates / "handout.html.j2").read_text("utf-8")
        return HandoutTexts(text, markdown, overview)
    return HandoutTexts(_read(page), markdown, overview, page_name=str(page))


def write_handouts(folder: Path, files: Mapping[str, str]) -> None:
    """Write files by name. Raises FleetError where the folder does not take them."""
    try:
        for name, text in files.items():
            write_private(folder / name, text)
    except OSError as error:
        raise FleetError(
            f"{folder} cannot be written ({error.strerror})",
            remedy="name another folder with --out",
        ) from error


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise UsageError(
            f"--template {path} cannot be read ({error.strerror})", remedy="check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--template {path} is not UTF-8", remedy="save it as UTF-8") from error

"""What the spec's bootstrap brings along from the caller's disk, as `assets` has read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LocalFiles:
    """The script's text, and the files as one gzip tar with paths below the home directory, with its digest."""

    script_text: str = ""
    archive: bytes = b""
    digest: str = ""

"""The package index of hosts that have no way out: the machine's own index, passed on page by page.

`/simple/NAME/` (PEP 503) is asked of every index that pip or uv is told of on this machine, files
come through `/files/`. A file that came over the network is kept in `cache`.
"""

from __future__ import annotations

import base64
import html
import os
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote, urljoin, urlsplit
from uuid import NAMESPACE_URL, uuid5

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PORT = 3141
_DEFAULT = "https://pypi.org/simple"
_SECONDS = 60.0
_CHUNK = 2**18
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_AUTHORITIES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
_KEPT = ("data-requires-python", "data-yanked")


@dataclass(frozen=True)
class Upstream:
    """Where the machine gets its packages: indexes by URL (https or file), and folders of wheels."""

    indexes: tuple[str, ...]
    folders: tuple[Path, ...] = ()


def upstream(environ: Mapping[str, str], settings: Mapping[str, str]) -> Upstream:
    """What uv's and pip's variables say, then pip's `settings` by name, else PyPI."""

    def told(*names: str) -> str:
        variables = (environ.get(name, "") for name in names)
        return next(filter(None, variables), "")

    first = told("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL") or settings.get(
        "index-url", ""
    )
    more = told("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL")
    more = more or settings.get("extra-index-url", "")
    links = told("UV_FIND_LINKS", "PIP_FIND_LINKS") or settings.get("find-links", "")
    folders = (Path(each.removeprefix("file://")) for each in re.split(r"[\s,]+", links) if each)
    return Upstream(
        indexes=(*(_plain(each) for each in more.split()), _plain(first or _DEFAULT)),
        folders=tuple(each for each in folders if each.is_dir()),
    )


def _plain(url: str) -> str:
    """Without uv's name in front."""
    return re.sub(r"^[\w.-]+=(?=https?:|file:)", "", url).rstrip("/")


def pip_settings() -> dict[str, str]:
    """What pip's files say, by name; nothing where there is no pip."""
    words = [sys.executable, "-m", "pip", "config", "list"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    found = re.findall(r"^(?:global|user|site)\.([\w-]+)='(.*)'$", done.stdout, re.MULTILINE)
    return {name: text.encode().decode("unicode_escape") for name, text in found}


@dataclass
class _Links(HTMLParser):
    """The anchors of a page of an index: file names with their attributes."""

    base: str
    found: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link."""
        values = {name: text or "" for name, text in attrs}
        if tag == "a" and "href" in values:
            href = urljoin(self.base, values["href"])
            self.found.append((href, {name: values[name] for name in _KEPT if name in values}))


class Index:
    """A WSGI application. Safe to call from several threads."""

    def __init__(self, source: Upstream, cache: Path) -> None:
        self._source = source
        self._cache = cache
        self._files: dict[str, str] = {}

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        parts = str(environ.get("PATH_INFO", "")).strip("/").split("/")
        if parts[0] == "simple" and len(parts) == 2 and _NAME.fullmatch(parts[1]):
            page = self._page(parts[1])
            if page:
                return _answer(start, "200 OK", page.encode(), "text/html; charset=utf-8")
        if parts[0] == "files" and len(parts) == 3 and parts[1] in self._files:
            return self._file(start, parts[1])
        return _answer(start, "404 Not Found", b"no such package\n", "text/plain")

    def _page(self, name: str) -> str:
        links = [link for index in self._source.indexes for link in _listed(f"{index}/{name}/")]
        links += [(path.as_uri(), {}) for path in self._wheels(name)]
        return "".join(f"{self._anchor(url, told)}\n" for url, told in links)

    def _wheels(self, name: str) -> Iterator[Path]:
        for folder in self._source.folders:
            for path in folder.iterdir():
                project = re.split(r"-\d", path.name)[0]
                if re.sub(r"[-_.]+", "-", project).lower() == name:
                    yield path

    def _anchor(self, url: str, told: Mapping[str, str]) -> str:
        target, _, digest = url.partition("#")
        key = uuid5(NAMESPACE_URL, target).hex
        self._files[key] = target
        name = Path(urlsplit(target).path).name
        href = f"/files/{key}/{name}" + (f"#{digest}" if digest else "")
        more = "".join(f' {key}="{html.escape(text)}"' for key, text in told.items())
        return f'<a href="{html.escape(href)}"{more}>{html.escape(name)}</a>'

    def _file(self, start: StartResponse, key: str) -> Iterable[bytes]:
        kept, url = self._cache / key, self._files[key]
        try:
            answer = kept.open("rb") if kept.is_file() else _open(url)
        except OSError as error:
            text = f"the index did not give it: {error}\n".encode()
            return _answer(start, "502 Bad Gateway", text, "text/plain")
        start("200 OK", [("Content-Type", "application/octet-stream")])
        chunks = iter(lambda: answer.read(_CHUNK), b"")
        return chunks if kept.is_file() or url.startswith("file:") else self._keep(chunks, kept)

    def _keep(self, chunks: Iterator[bytes], kept: Path) -> Iterator[bytes]:
        """Pass a file on while it comes, and keep it once it is whole."""
        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._cache, delete=False) as draft:
            try:
                for chunk in chunks:
                    draft.write(chunk)
                    yield chunk
                Path(draft.name).rename(kept)
            finally:
                Path(draft.name).unlink(missing_ok=True)


def _open(url: str) -> BinaryIO:
    """Ask an index. Credentials in its URL go into a header, where a server looks for them."""
    parts = urlsplit(url)
    headers = {"Accept": "text/html, */*", "User-Agent": "fleet-sandbox"}
    if parts.username:
        words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(words.encode()).decode()}"
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    trusted = next(filter(None, map(os.environ.get, _AUTHORITIES)), None)
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - an index of this machine
    context = ssl.create_default_context(cafile=trusted)
    opened: BinaryIO = urllib.request.urlopen(request, timeout=_SECONDS, context=context)  # noqa: S310
    return opened


def _listed(url: str) -> list[tuple[str, dict[str, str]]]:
    """The links of one page of one index; none where it has no such package."""
    page = f"{url}index.html" if url.startswith("file:") else url
    try:
        with _open(page) as answer:
            links = _Links(page)
            links.feed(answer.read().decode("utf-8", "replace"))
    except OSError:
        return []
    return links.found


def _answer(start: StartResponse, status: str, body: bytes, kind: str) -> Iterable[bytes]:
    start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]


def machine_upstream() -> Upstream:
    """The indexes of the machine that the sandbox runs on."""
    return upstream(os.environ, pip_settings())

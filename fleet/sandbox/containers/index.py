"""The package index of hosts that have no way out: the machine's own index, passed on page by page.

`/simple/NAME/` (PEP 503) is asked of every index that pip or uv is told of on this machine, files
come through `/files/`. A file that came over the network is kept in `cache`, a page for ten minutes.
"""

from __future__ import annotations

import base64
import functools
import html
import json
import os
import platform
import re
import ssl
import tempfile
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import url2pathname
from uuid import NAMESPACE_URL, uuid5
from wsgiref.util import FileWrapper

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from fleet.sandbox.containers.upstream import Upstream

_SECONDS = 60.0
_CHUNK = 2**18
_FRESH_SECONDS = 600.0
"""How long PyPI lets its pages be kept (Cache-Control: max-age=600)."""
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_AUTHORITIES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
_ACCEPTED = "application/vnd.pypi.simple.v1+json, text/html;q=0.2, */*;q=0.1"
_KEPT = ("data-requires-python", "data-yanked")
_INSTALLABLE = re.compile(
    rf"(-any|-(?:many)?linux[\w.]*_{platform.machine()}[\w.]*)\.whl$|\.tar\.gz$|\.zip$"
)
"""How a file's name ends that a host of this machine's architecture can install: half of all, or less."""


@dataclass
class _Links(HTMLParser):
    """The anchors of a page of an index that a host can install from: file names with their attributes."""

    base: str
    found: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link."""
        if tag != "a":
            return
        values = {name: text or "" for name, text in attrs}
        href = urljoin(self.base, values.get("href", ""))
        if _installable(href):
            self.found.append((href, {name: values[name] for name in _KEPT if name in values}))


class Index:
    """A WSGI application. Safe to call from several threads."""

    def __init__(self, source: Upstream, cache: Path) -> None:
        self._source = source
        self._cache = cache
        self._files: dict[str, str] = {}
        self._pages: dict[str, tuple[float, bytes]] = {}
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        parts = str(environ.get("PATH_INFO", "")).strip("/").split("/")
        if parts[0] == "simple" and len(parts) == 2 and _NAME.fullmatch(parts[1]):
            page = self._page(parts[1])
            if page:
                return _answer(start, "200 OK", page, "text/html; charset=utf-8")
        if parts[0] == "files" and len(parts) == 3 and parts[1] in self._files:
            return self._file(start, parts[1])
        return _answer(start, "404 Not Found", b"no such package\n", "text/plain")

    def _page(self, name: str) -> bytes:
        """A package's page; hosts that ask at the same time wait for the one that is being made."""
        with self._turns[name]:
            until, page = self._pages.get(name, (0.0, b""))
            if time.monotonic() >= until:
                page = self._new_page(name).encode()
                if page:
                    self._pages[name] = (time.monotonic() + _FRESH_SECONDS, page)
            return page

    def _new_page(self, name: str) -> str:
        links = [link for index in self._source.indexes for link in _listed(f"{index}/{name}/")]
        links += [(path.as_uri(), {}) for path in self._wheels(name)]
        return "".join(f"{self._anchor(url, told)}\n" for url, told in links)

    def _wheels(self, name: str) -> Iterator[Path]:
        for folder in self._source.folders:
            for path in folder.iterdir():
                project = re.split(r"-\d", path.name)[0]
                if re.sub(r"[-_.]+", "-", project).lower() == name and _installable(path.name):
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
        try:
            file = self._kept(key).open("rb")
        except OSError as error:
            text = f"the index did not give it: {error}\n".encode()
            return _answer(start, "502 Bad Gateway", text, "text/plain")
        size = os.fstat(file.fileno()).st_size
        kind = "application/octet-stream"
        start("200 OK", [("Content-Type", kind), ("Content-Length", str(size))])
        return FileWrapper(file, _CHUNK)

    def _kept(self, key: str) -> Path:
        """Where a file lies on this machine; one that lies elsewhere is fetched first, once."""
        url, kept = self._files[key], self._cache / key
        if url.startswith("file:"):
            return Path(url2pathname(urlsplit(url).path))
        with self._turns[key]:
            if not kept.is_file():
                self._fetch(url, kept)
        return kept

    def _fetch(self, url: str, kept: Path) -> None:
        """Whole or not at all."""
        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._cache, delete=False) as draft:
            try:
                with _open(url) as answer:
                    for chunk in iter(lambda: answer.read(_CHUNK), b""):
                        draft.write(chunk)
                draft.flush()
                Path(draft.name).rename(kept)
            finally:
                Path(draft.name).unlink(missing_ok=True)


def _installable(url: str) -> bool:
    return _INSTALLABLE.search(urlsplit(url).path) is not None


def _open(url: str) -> BinaryIO:
    """Ask an index. Credentials in its URL go into a header, where a server looks for them."""
    parts = urlsplit(url)
    headers = {"Accept": _ACCEPTED, "User-Agent": "fleet-sandbox"}
    if parts.username:
        words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(words.encode()).decode()}"
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - an index of this machine
    opened: BinaryIO = urllib.request.urlopen(request, timeout=_SECONDS, context=_trust())  # noqa: S310
    return opened


@functools.cache
def _trust() -> ssl.SSLContext:
    """The authorities of this machine: to read them takes longer than to answer most requests."""
    trusted = next(filter(None, map(os.environ.get, _AUTHORITIES)), None)
    return ssl.create_default_context(cafile=trusted)


def _listed(url: str) -> list[tuple[str, dict[str, str]]]:
    """The links of one page of one index; none where it has no such package."""
    page = f"{url}index.html" if url.startswith("file:") else url
    try:
        with _open(page) as answer:
            text = answer.read().decode("utf-8", "replace")
    except OSError:
        return []
    if text.startswith("{"):
        return _listed_in_json(page, json.loads(text))
    links = _Links(page)
    links.feed(text)
    return links.found


def _listed_in_json(page: str, told: Mapping[str, Any]) -> list[tuple[str, dict[str, str]]]:
    """The same of a page by PEP 691: PyPI's longest has 4,000 files, and is read in a tenth of the time."""
    found = []
    for file in told["files"]:
        if _installable(file["filename"]):
            digest = file["hashes"].get("sha256")
            attributes = {"data-requires-python": file.get("requires-python") or ""}
            if file.get("yanked"):
                attributes["data-yanked"] = str(file["yanked"])
            url = urljoin(page, file["url"]) + (f"#sha256={digest}" if digest else "")
            found.append((url, {name: text for name, text in attributes.items() if text}))
    return found


def _answer(start: StartResponse, status: str, body: bytes, kind: str) -> Iterable[bytes]:
    start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]

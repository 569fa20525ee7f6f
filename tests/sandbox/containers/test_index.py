"""The hosts' package index: pages of several indexes in one, what Linux can install alone, files kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest

from fleet.sandbox.containers.index import Index
from fleet.sandbox.containers.upstream import Upstream, upstream

WHEEL = "einops-1.0-py3-none-any.whl"


def ask(app: Index, path: str) -> tuple[str, bytes]:
    environ: dict[str, object] = {}
    setup_testing_defaults(environ)
    environ["PATH_INFO"] = path
    status: list[str] = []

    def start(line: str, _headers: object, _error: object = None) -> object:
        status.append(line)
        return None

    answer = app(environ, start)  # type: ignore[arg-type]
    body = b"".join(answer)
    if isinstance(answer, FileWrapper):
        answer.close()
    return status[0], body


def on_disk(folder: Path, *names: str) -> Upstream:
    page = folder / "simple/einops"
    page.mkdir(parents=True)
    for name in names:
        (page / name).write_bytes(name.encode())
    anchors = (
        f'<a href="{name}#sha256=0" data-requires-python="&gt;=3.8">{name}</a>' for name in names
    )
    (page / "index.html").write_text("\n".join(anchors))
    return Upstream((f"file://{folder}/simple",))


def link(page: bytes, name: str) -> str:
    href = page.decode().partition('href="')[2].partition('"')[0]
    assert href.partition("#")[0].endswith(f"/{name}")
    return href.partition("#")[0]


def test_a_page_has_what_a_linux_host_can_install(tmp_path: Path) -> None:
    others = (
        "einops-1.0-cp311-cp311-win_amd64.whl",
        "einops-1.0-cp311-cp311-macosx_11_0_arm64.whl",
    )
    more = ("einops-1.0-cp311-cp311-musllinux_1_2_x86_64.whl", "einops-1.0.exe")
    app = Index(on_disk(tmp_path, WHEEL, *others, *more, "einops-1.0.tar.gz"), tmp_path / "cache")
    status, page = ask(app, "/simple/einops/")
    assert status == "200 OK"
    assert page.count(b"<a ") == 2
    assert b'data-requires-python="&gt;=3.8"' in page
    assert ask(app, link(page, WHEEL)) == ("200 OK", WHEEL.encode())


@pytest.mark.parametrize(
    "path", ["/simple/unknown/", "/files/0/einops.whl", "/simple/../etc/", "/"]
)
def test_what_is_not_there_is_not_found(tmp_path: Path, path: str) -> None:
    assert ask(Index(on_disk(tmp_path, WHEEL), tmp_path), path)[0] == "404 Not Found"


@contextmanager
def served(answers: dict[str, bytes], asked: list[str]) -> Iterator[str]:
    """An index on the network that speaks PEP 691."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

    def app(environ: dict[str, str], start: object) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        body = answers.get(environ["PATH_INFO"])
        start("200 OK" if body else "404 Not Found", [("Content-Length", str(len(body or b"")))])  # type: ignore[operator]
        return [body or b""]

    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_file_from_the_network_is_fetched_once(tmp_path: Path) -> None:
    told = {
        "files": [
            {
                "filename": WHEEL,
                "url": f"/{WHEEL}",
                "hashes": {"sha256": "0"},
                "requires-python": ">=3.8",
            },
            {"filename": "einops-1.0-cp311-cp311-win32.whl", "url": "/no.whl", "hashes": {}},
        ]
    }
    answers = {"/simple/einops/": json.dumps(told).encode(), f"/{WHEEL}": b"wheel"}
    asked: list[str] = []
    with served(answers, asked) as url:
        app = Index(Upstream((f"{url}/simple",)), tmp_path / "cache")
        for _ in range(3):
            page = ask(app, "/simple/einops/")[1]
            assert page.count(b"<a ") == 1
            assert ask(app, link(page, WHEEL)) == ("200 OK", b"wheel")
    assert asked == ["/simple/einops/", f"/{WHEEL}"]


def test_the_machines_own_settings_say_where_packages_come_from(tmp_path: Path) -> None:
    environ = {
        "UV_DEFAULT_INDEX": "own=https://index.example/simple/",
        "PIP_FIND_LINKS": str(tmp_path),
    }
    assert upstream(environ, {}) == Upstream(("https://index.example/simple",), (tmp_path,))
    assert upstream({}, {"index-url": "https://pip.example/simple"}).indexes == (
        "https://pip.example/simple",
    )
    assert upstream({}, {}).indexes == ("https://pypi.org/simple",)

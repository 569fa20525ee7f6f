"""The pages of a hand-out in a real browser: on a phone, a desktop and paper; read back, and held to be accessible."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import zxingcpp

from fleet.assets.handout_files import load_handout_texts, write_handouts
from fleet.plan import tags
from fleet.plan.handout.pages import Overview
from fleet.plan.handout.text import render_handouts
from tests.acceptance.chromium import PROGRAM, Browser, chromium
from tests.plan.handout.handouts import LONG, NAMES, overview, unready

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed: no page was opened"),
]
PHONE, DESKTOP = (390, 844), (1280, 900)
SIZES = pytest.mark.parametrize(
    "size", [PHONE, pytest.param(DESKTOP, marks=pytest.mark.deep)], ids=["phone", "desktop"]
)
LETTER, A4 = {"paperWidth": 8.5, "paperHeight": 11}, {"paperWidth": 8.27, "paperHeight": 11.69}
SHOTS = os.environ.get("FLEET_TEST_SCREENSHOTS")
"""A folder to keep screenshots in, for somebody to look at."""


def fleet() -> Overview:
    """People of all kinds of names, one of them behind a bastion, one not ready."""
    whole = overview(*NAMES)
    (behind,) = overview(LONG + "2", **{tags.VIA: "bastion ana@bastion.example.org:2222"}).pages
    reason = "Jupyter or TensorBoard does not answer from here"
    others = (unready(one, reason) if one.member == NAMES[-1] else one for one in whole.pages)
    return replace(whole, pages=(*others, replace(behind, alias="behind")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("handout")
    write_handouts(made, render_handouts(load_handout_texts(None), fleet()))
    return made


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as running:
        yield running


def show(browser: Browser, file: Path, size: tuple[int, int] = DESKTOP) -> None:
    browser.resize(*size)
    browser.open(file.as_uri())
    browser.wait_for(f"location.href === '{file.as_uri()}' && document.readyState === 'complete'")


def keep(browser: Browser, name: str) -> None:
    """Keep a screenshot of the whole page where somebody has asked for it."""
    if SHOTS:
        width = browser.evaluate("innerWidth")
        browser.resize(width, browser.evaluate("document.documentElement.scrollHeight"))
        browser.screenshot(Path(SHOTS) / f"{name}.png")


def pages(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.html"))


@SIZES
def test_nothing_is_cut_off(browser: Browser, folder: Path, size: tuple[int, int]) -> None:
    for file in pages(folder):
        show(browser, file, size)
        wide = browser.evaluate("document.documentElement.scrollWidth")
        assert wide <= size[0], f"{file.name} has to be pushed sideways"
        cut = browser.evaluate(
            "[...document.querySelectorAll('main *')].filter(e => !e.closest('.wide')"
            " && e.getBoundingClientRect().right > innerWidth).length"
        )
        assert cut == 0, file.name
        keep(browser, f"{file.stem}-{size[0]}")


def test_names_look_as_they_are_written(browser: Browser, folder: Path) -> None:
    for one in fleet().pages:
        show(browser, folder / f"{one.alias}.html")
        assert browser.evaluate("document.querySelector('h1').innerText") == one.member
        assert browser.evaluate("document.title") == f"{one.member} · workshop"
        assert browser.evaluate("document.images.length") == 0


def test_a_page_prints_on_one_sheet(browser: Browser, folder: Path) -> None:
    for file in pages(folder):
        show(browser, file)
        for paper in (A4, LETTER):
            pdf = browser.print(printBackground=False, preferCSSPageSize=False, **paper)
            assert re.findall(rb"/Type /Pages\s*/Count (\d+)", pdf) == [b"1"], file.name


@SIZES
def test_axe_finds_nothing(browser: Browser, folder: Path, size: tuple[int, int]) -> None:
    axe = (resources.files("axe_core_python") / "axe.min.js").read_text("utf-8")
    for file in pages(folder):
        show(browser, file, size)
        browser.evaluate(f"{axe}; true")
        found: Any = browser.evaluate("axe.run().then(found => found.violations)")
        told = [(one["impact"], one["id"], one["nodes"][0]["html"]) for one in found]
        assert told == [], file.name


@SIZES
def test_the_qr_code_says_the_link(browser: Browser, folder: Path, size: tuple[int, int]) -> None:
    for one in fleet().pages:
        show(browser, folder / f"{one.alias}.html", size)
        browser.evaluate("document.querySelector('.qr')?.scrollIntoView()")
        shot = browser.screenshot(folder / "seen.png").read_bytes()
        read = zxingcpp.read_barcodes(PIL.Image.open(io.BytesIO(shot)))
        wanted = [] if one.tunnel or one.jupyter_url is None else [one.jupyter_url]
        assert [code.text for code in read] == wanted


def test_a_click_copies_the_link(browser: Browser, folder: Path) -> None:
    show(browser, folder / "workshop-ana.html")
    browser.permit("clipboardReadWrite", "clipboardSanitizedWrite")
    browser.click(".copy button")
    browser.wait_for("document.querySelector('.copy button').textContent === 'Copied'")
    copied = browser.evaluate("navigator.clipboard.readText()")
    assert copied == overview(*NAMES[:1]).pages[0].jupyter_url


def test_the_certificate_can_be_saved(browser: Browser, folder: Path) -> None:
    show(browser, folder / "workshop-ana.html")
    text = browser.evaluate("atob(document.querySelector('a[download]').href.split('base64,')[1])")
    assert text.startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in text

"""The handed-out links in a real browser, of a person who has imported the fleet's certificate and nothing else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleet.jupyter.http import Server, request
from tests.acceptance.chromium import CERTUTIL, PROGRAM, chromium
from tests.acceptance.standing import NAME, ODD, Standing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("standing"),
    pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed: no page was opened"),
    pytest.mark.skipif(
        CERTUTIL is None, reason="certutil (libnss3-tools) is not installed: no page was opened"
    ),
]
KEEP = os.environ.get("FLEET_TEST_SCREENSHOTS")
"""A folder to keep the screenshots in, for somebody who wants to look at them."""

TRAIN = """\
from tensorboard.summary import Writer
log, weight = Writer('runs/small'), 5.0
for step in range(30):
    log.add_scalar('loss', weight * weight, step)
    weight -= 0.1 * weight
log.close()
print('trained', 6 * 7)
"""

INK = """(() => {
    const chart = document.querySelector('line-chart canvas');
    const copy = Object.assign(document.createElement('canvas'), {width: chart.width, height: chart.height});
    const pen = copy.getContext('2d');
    pen.drawImage(chart, 0, 0);
    const points = pen.getImageData(0, 0, copy.width, copy.height).data;
    return points.filter((value, at) => at % 4 === 3 && value > 0).length > 100;
})()"""
"""Whether TensorBoard has drawn a line: its chart is empty but for that."""


@dataclass(frozen=True)
class HandedOut:
    """What a person gets, and the certificate of the fleet's authority in a file."""

    jupyter: str
    tensorboard: str
    authority: Path


@pytest.fixture(scope="module")
def handed_out(standing: Standing, tmp_path_factory: pytest.TempPathFactory) -> HandedOut:
    """What the one with the odd name gets."""
    authority = tmp_path_factory.mktemp("authority") / "fleet.pem"
    authority.write_text(standing.cli("--sandbox", "ca", NAME).stdout)
    urls = standing.environments[ODD]
    return HandedOut(urls["jupyter_url"], urls["tensorboard_url"], authority)


def shots(folder: Path) -> Path:
    kept = Path(KEEP) if KEEP else folder
    kept.mkdir(parents=True, exist_ok=True)
    return kept


def test_a_person_logs_in_runs_a_cell_and_sees_the_curve(
    handed_out: HandedOut, tmp_path: Path
) -> None:
    with chromium(tmp_path, trusts=handed_out.authority) as browser:
        browser.open(handed_out.jupyter)
        browser.wait_for("document.querySelector('.jp-Launcher')")
        assert not browser.evaluate("document.body.innerText.includes('Jupyter news')")
        browser.screenshot(shots(tmp_path) / "launcher.png")
        browser.click('.jp-LauncherCard[data-category=Notebook][title^="Python 3"]')
        browser.wait_for("document.body.innerText.includes('| Idle')")
        browser.click(".jp-Notebook .cm-content")
        browser.wait_for("document.activeElement.matches('.jp-Notebook .cm-content')")
        browser.type(TRAIN)
        browser.wait_for("document.activeElement.innerText.includes('trained')")
        browser.press_shift_enter()
        browser.wait_for(
            "document.querySelector('.jp-OutputArea-output')?.innerText.includes('42')"
        )
        browser.screenshot(shots(tmp_path) / "cell.png")

    _until_read(handed_out)
    with chromium(tmp_path / "other", trusts=handed_out.authority) as browser:
        browser.open(handed_out.tensorboard)
        browser.wait_for(INK)
        browser.screenshot(shots(tmp_path) / "tensorboard.png")
        assert browser.evaluate("document.title") == "TensorBoard"


def test_without_the_token_there_is_a_login_page(handed_out: HandedOut, tmp_path: Path) -> None:
    with chromium(tmp_path, trusts=handed_out.authority) as browser:
        for url in (handed_out.jupyter, handed_out.tensorboard):
            browser.open(url.split("?")[0])
            browser.wait_for("document.body.innerText.includes('Token authentication is enabled')")
            assert not browser.evaluate("!!document.querySelector('.jp-Launcher, tb-webapp')")
        browser.screenshot(shots(tmp_path) / "login.png")


def test_who_has_not_imported_the_certificate_is_warned(
    handed_out: HandedOut, tmp_path: Path
) -> None:
    with chromium(tmp_path) as browser:
        for url in (handed_out.jupyter, handed_out.tensorboard):
            browser.open(url)
            browser.wait_for("document.body.innerText.includes('ERR_CERT_AUTHORITY_INVALID')")
        browser.screenshot(shots(tmp_path) / "warned.png")


def _until_read(handed_out: HandedOut) -> None:
    """TensorBoard looks for new runs every five seconds."""
    address = handed_out.tensorboard.split("/")[2].split(":")[0]
    token = handed_out.tensorboard.split("token=")[1]
    server = Server(address, 6006, handed_out.authority.read_text())
    for _ in range(1000):
        path = "/tensorboard/data/runs"
        if request(server, "GET", path, token=token, timeout=60).json() == ["small"]:
            return
    raise AssertionError("TensorBoard does not find the run")

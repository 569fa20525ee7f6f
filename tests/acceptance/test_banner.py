"""What JupyterLab shows of an environment that is about to stop, in a real browser, and the endpoints behind it.

Heartbeats are written by the tests, where the environment's watchers write theirs; those are stopped meanwhile.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from fleet.jupyter.http import Answer, Server, request
from fleet.sandbox.hosts.paths import HostPaths
from tests.acceptance.chromium import CERTUTIL, PROGRAM, Browser, chromium
from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow]
SEEN = pytest.mark.skipif(
    PROGRAM is None or CERTUTIL is None,
    reason="chromium or certutil (libnss3-tools) is not installed: no banner was looked at",
)
KEEP = os.environ.get("FLEET_TEST_SCREENSHOTS")
"""A folder to keep the screenshots in, for somebody who wants to look at them."""

QUIET = {
    "state": "idle",
    "idle_seconds": 2760,
    "idle_limit_seconds": 3600,
    "reasons": ["kernels quiet"],
    "kept_seconds": 0,
    "expires_at": None,
    "stops_in_seconds": None,
    "stops_because": None,
    "warning": None,
}
IDLE = {
    **QUIET,
    "stops_in_seconds": 840,
    "stops_because": "idle",
    "warning": "this environment stops in 14 min: nobody has used it for 46 min",
}
EXPIRING = {**IDLE, "stops_because": "expiry", "warning": "this environment stops in 14 min"}
NO_NOTICE = {"state": "quiet", "action": None, "time": None, "hook": None, "sync": None}


@dataclass(frozen=True)
class Environment:
    """One person's environment, whose watchers are the tests."""

    url: str
    authority: Path
    host: HostPaths

    @property
    def heartbeats(self) -> Path:
        return Path(self.host.real("/run/fleet"))

    @property
    def files(self) -> Path:
        return self.host.home / ".fleet"

    @property
    def token(self) -> str:
        return self.url.split("token=")[1]

    def tell(self, watcher: str, told: dict[str, Any], *, seconds_ago: float = 0) -> None:
        """Write a heartbeat, as a watcher does."""
        at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
        beat = {
            "at": written(at),
            "boot_seconds": time.clock_gettime(time.CLOCK_BOOTTIME) - seconds_ago,
            "tick_seconds": 15.0,
            "warning": None,
        }
        new = self.heartbeats / f"{watcher}.new"
        new.write_text(json.dumps({**beat, **told}))
        new.rename(self.heartbeats / f"{watcher}.json")

    def ask(
        self, method: str, path: str, *, port: int = 8888, body: object = None, known: bool = True
    ) -> Answer:
        address = self.url.split("/")[2].split(":")[0]
        server = Server(address, port, self.authority.read_text())
        token = self.token if known else None
        return request(server, method, path, token=token, body=body, timeout=60)

    def watchers(self) -> Any:
        return self.ask("GET", "/fleet/watchers").json()["watchers"]

    def touched(self, name: str) -> int:
        """When one of the person's files was touched, 0 for never."""
        file = self.files / name
        return file.stat().st_mtime_ns if file.exists() else 0


def written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module")
def running(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    folder = tmp_path_factory.mktemp("banner")
    instances = "{types: [g4dn.xlarge], market: spot}"
    spec = write_spec(folder, "banner", members="[solo]", instances=instances, idle="1h")
    (solo,) = cli.json("--sandbox", "up", str(spec), "-o", "json")["environments"]
    (folder / "banner.pem").write_text(cli("--sandbox", "ca", "banner").stdout)
    watchers = "sudo systemctl stop fleet-lifetime.service fleet-spot.service"
    assert cli("--sandbox", "exec", "banner", "--", watchers).returncode == 0
    host = HostPaths(cli.folder / "sandbox" / "hosts" / solo["instance_id"], "ubuntu")
    yield Environment(solo["jupyter_url"], folder / "banner.pem", host)
    assert cli("--sandbox", "down", "banner").returncode == 0


@pytest.fixture
def environment(running: Environment) -> Environment:
    """An environment with nothing to tell."""
    running.heartbeats.mkdir(exist_ok=True)
    running.tell("lifetime", QUIET)
    running.tell("spot", NO_NOTICE)
    return running


@pytest.fixture(scope="module")
def person(running: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser"), trusts=running.authority) as browser:
        yield browser


@pytest.fixture
def lab(environment: Environment, person: Browser) -> Browser:
    """A person's JupyterLab, which has asked once."""
    person.resize(1400, 900)
    person.open("about:blank")
    person.open(environment.url)
    person.wait_for("document.querySelector('.jp-Launcher')")
    person.wait_for(f"{ASKED} > 0")
    return person


ASKED = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/watchers')).length"
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"
"""A tab that is shown again asks at once."""


def look(lab: Browser, shown: str) -> None:
    """Wait until a message is shown; ask again for as long as it is not."""
    lab.wait_for(f"{LOOK} && {text_of('#dl-fleet-banner')}.includes({json.dumps(shown)})")


def text_of(selector: str) -> str:
    return f"(document.querySelector('{selector}')?.innerText ?? '')"


def shot(lab: Browser, folder: Path, name: str) -> None:
    lab.screenshot((Path(KEEP) if KEEP else folder) / f"banner-{name}.png")


def violations(lab: Browser) -> list[tuple[str, str, str]]:
    axe = (resources.files("axe_core_python") / "axe.min.js").read_text("utf-8")
    lab.evaluate(f"{axe}; true")
    found: Any = lab.evaluate("axe.run('#dl-fleet-banner').then(found => found.violations)")
    return [(one["impact"], one["id"], one["nodes"][0]["html"]) for one in found]


def test_heartbeats_are_given_with_their_age(environment: Environment) -> None:
    environment.tell("lifetime", IDLE, seconds_ago=30)
    lifetime = environment.watchers()["lifetime"]
    assert lifetime["warning"] == IDLE["warning"]
    assert 30 <= lifetime["age_seconds"] < 90
    assert environment.watchers()["spot"]["state"] == "quiet"


def test_what_was_not_heard_of_is_null(environment: Environment) -> None:
    (environment.heartbeats / "lifetime.json").write_text('{"boot_seconds": 1, ')
    environment.tell("spot", NO_NOTICE, seconds_ago=-3600)  # of a boot before this one
    assert environment.watchers() == {"lifetime": None, "spot": None}
    for file in environment.heartbeats.iterdir():
        file.unlink()
    environment.heartbeats.rmdir()
    assert environment.watchers() == {"lifetime": None, "spot": None}


def test_nobody_is_answered_without_the_token(environment: Environment) -> None:
    before = environment.touched("keep")
    assert environment.ask("GET", "/fleet/watchers", known=False).status == 403
    assert environment.ask("POST", "/fleet/keep", known=False).status == 403
    assert environment.touched("keep") == before


def test_tensorboards_door_knows_nothing_of_it(environment: Environment) -> None:
    assert environment.ask("GET", "/fleet/watchers", port=6006).status == 404


def test_an_hour_is_asked_for_again_and_again(environment: Environment) -> None:
    seen = [environment.touched("keep")]
    for _ in range(2):
        assert environment.ask("POST", "/fleet/keep").status == 204
        seen.append(environment.touched("keep"))
    assert sorted(set(seen)) == seen


def test_who_cannot_be_kept_is_told_why(environment: Environment) -> None:
    with out_of_reach(environment.files / "keep"):
        answer = environment.ask("POST", "/fleet/keep")
    assert answer.status == 507
    assert "No such file or directory" in answer.json()["message"]


def test_saving_a_file_is_activity_and_opening_one_is_not(environment: Environment) -> None:
    text = {"type": "file", "format": "text", "content": "x"}
    before = environment.touched("saved")
    assert environment.ask("PUT", "/api/contents/a.txt", body=text).status == 201
    eventually(lambda: environment.touched("saved") > before)
    after = environment.touched("saved")
    assert environment.ask("GET", "/api/contents/a.txt").status == 200
    with out_of_reach(environment.files / "saved"):
        assert environment.ask("PUT", "/api/contents/a.txt", body=text).status == 200
    assert environment.touched("saved") == after


def test_asking_is_no_activity(environment: Environment) -> None:
    before = environment.ask("GET", "/api/status").json()["last_activity"]
    environment.watchers()
    assert environment.ask("GET", "/api/status").json()["last_activity"] == before


@SEEN
def test_nothing_is_shown_where_there_is_nothing_to_tell(lab: Browser) -> None:
    assert lab.evaluate("document.querySelectorAll('.fleet-row').length") == 0
    menu = "document.querySelector('#jp-top-panel').getBoundingClientRect().top"
    assert lab.evaluate(menu) == 0


@SEEN
def test_one_click_keeps_an_idle_environment(
    environment: Environment, lab: Browser, tmp_path: Path
) -> None:
    environment.tell("lifetime", IDLE)
    look(lab, "This environment stops in 14 min: nobody has used it for 46 min.")
    assert lab.evaluate(text_of(".fleet-told[role=status]")) == lab.evaluate(
        text_of(".fleet-row p")
    )
    shot(lab, tmp_path, "idle")
    assert violations(lab) == []

    before = environment.touched("keep")
    lab.evaluate("document.querySelector('.fleet-keep').focus()")
    lab.press_enter()
    look(lab, "Keeping this environment for an hour")
    eventually(lambda: environment.touched("keep") > before)
    shot(lab, tmp_path, "asked")
    assert lab.evaluate("document.activeElement.closest('#dl-fleet-banner') !== null")

    environment.tell("lifetime", {**QUIET, "kept_seconds": 3590})
    look(lab, "Kept until ")
    shot(lab, tmp_path, "kept")
    assert violations(lab) == []


@SEEN
def test_nobody_is_kept_past_the_expiry(environment: Environment, lab: Browser) -> None:
    ends = datetime.now(UTC) + timedelta(minutes=10)
    environment.tell("lifetime", {**EXPIRING, "expires_at": written(ends)})
    look(lab, "This environment stops in 14 min.")
    assert lab.evaluate("document.querySelectorAll('.fleet-keep').length") == 0

    environment.tell("lifetime", {**IDLE, "expires_at": written(ends)})
    look(lab, "nobody has used it")
    lab.click(".fleet-keep")
    look(lab, "Keeping this environment")
    environment.tell("lifetime", {**QUIET, "kept_seconds": 3590, "expires_at": written(ends)})
    look(lab, "Kept until it expires at ")


@SEEN
def test_who_could_not_be_kept_may_try_again(environment: Environment, lab: Browser) -> None:
    environment.tell("lifetime", IDLE)
    look(lab, "nobody has used it")
    with out_of_reach(environment.files / "keep"):
        lab.click(".fleet-keep")
        look(lab, "Not kept: ")
    assert lab.evaluate("document.querySelectorAll('.fleet-keep').length") == 1
    lab.click(".fleet-keep")
    look(lab, "Keeping this environment")


@SEEN
def test_an_interruption_is_told_with_the_time_left(
    environment: Environment, lab: Browser, tmp_path: Path
) -> None:
    notice = {
        **NO_NOTICE,
        "state": "interruption",
        "action": "terminate",
        "time": written(datetime.now(UTC) + timedelta(seconds=115)),
        "hook": "running",
        "warning": "EC2 takes this Spot instance back in 115 s: save your work now",
    }
    environment.tell("lifetime", IDLE)
    environment.tell("spot", notice)
    look(lab, "EC2 takes this Spot instance back: save your work now. ~/on-interruption: running.")
    left = lab.evaluate(text_of(".fleet-interruption [role=timer]"))
    lab.wait_for(f"{text_of('.fleet-interruption [role=timer]')} !== {json.dumps(left)}")
    assert left.endswith(" s left")
    assert "EC2 takes" in lab.evaluate(text_of(".fleet-told[role=alert]"))
    shot(lab, tmp_path, "interruption")
    assert violations(lab) == []

    lab.resize(390, 844)
    lab.wait_for(
        "Math.abs(document.querySelector('#dl-fleet-banner').offsetHeight -"
        " document.querySelector('#dl-fleet-banner section').offsetHeight) < 2"
    )
    cut = (
        "[...document.querySelectorAll('#dl-fleet-banner *')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth).length"
    )
    assert lab.evaluate(cut) == 0
    shot(lab, tmp_path, "interruption-phone")


@SEEN
def test_a_watcher_that_died_is_told_quietly(
    environment: Environment, lab: Browser, tmp_path: Path
) -> None:
    environment.tell("lifetime", IDLE, seconds_ago=90)
    look(lab, "The watcher of idle time and expiry is silent")
    assert "14 min" not in lab.evaluate(text_of("#dl-fleet-banner"))
    shot(lab, tmp_path, "dead")
    lab.click(".fleet-quiet button")
    lab.wait_for("document.querySelectorAll('.fleet-row').length === 0")


@SEEN
def test_it_is_readable_in_the_dark_theme(
    environment: Environment, lab: Browser, tmp_path: Path
) -> None:
    setting = "/lab/api/settings/@jupyterlab/apputils-extension:themes"
    dark = {"raw": json.dumps({"theme": "JupyterLab Dark"})}
    assert environment.ask("PUT", setting, body=dark).status == 204
    try:
        lab.open(environment.url)
        lab.wait_for("document.body.dataset.jpThemeLight === 'false'")
        environment.tell("lifetime", IDLE)
        environment.tell("spot", NO_NOTICE, seconds_ago=90)
        look(lab, "nobody has used it")
        look(lab, "The watcher of Spot interruptions is silent")
        shot(lab, tmp_path, "dark")
        assert violations(lab) == []
    finally:
        assert environment.ask("PUT", setting, body={"raw": "{}"}).status == 204


@SEEN
def test_nobody_is_asked_while_the_tab_is_hidden(environment: Environment, lab: Browser) -> None:
    environment.tell("lifetime", IDLE)
    look(lab, "nobody has used it")
    lab.click(".fleet-keep")  # it asks every two seconds from here on
    look(lab, "Keeping this environment")
    lab.evaluate("Object.defineProperty(document, 'hidden', {get: () => true, configurable: true})")
    lab.evaluate("new Promise((end) => setTimeout(end, 2500))")
    asked = lab.evaluate(ASKED)
    lab.evaluate("new Promise((end) => setTimeout(end, 5000))")
    assert lab.evaluate(ASKED) == asked
    lab.evaluate(f"delete document.hidden; {LOOK}")
    lab.wait_for(f"{ASKED} > {asked}")


@SEEN
def test_another_site_cannot_keep_it(environment: Environment, lab: Browser) -> None:
    """Who is logged in by a cookie needs Jupyter's XSRF token, as for everything that Jupyter does."""
    post = "fetch('/fleet/keep', {method: 'POST', headers: %s}).then(answer => answer.status)"
    xsrf = "{'X-XSRFToken': document.cookie.match(/_xsrf=([^;]*)/)[1]}"
    assert lab.evaluate(post % "{}") == 403
    assert lab.evaluate(post % xsrf) == 204


@contextmanager
def out_of_reach(file: Path) -> Iterator[None]:
    """A file that cannot be touched for a while, not even by root."""
    aside = file.with_name(file.name + ".aside")
    if file.exists():
        file.rename(aside)
    file.symlink_to("nowhere/at/all")
    try:
        yield
    finally:
        file.unlink()
        if aside.exists():
            aside.rename(file)


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)

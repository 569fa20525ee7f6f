"""What JupyterLab shows of an environment that is about to stop, in a real browser, and the endpoints behind it.

Most heartbeats are written by the tests, where the environment's watchers write theirs; those are stopped meanwhile.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.chromium import CERTUTIL, PROGRAM, Browser, chromium
from tests.acceptance.dusk import NAME, Dusk
from tests.acceptance.watched import (
    EXPIRING,
    IDLE,
    NO_NOTICE,
    QUIET,
    Environment,
    environment_of,
    eventually,
    out_of_reach,
    watched,
    written,
)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dusk")]
SEEN = pytest.mark.skipif(
    PROGRAM is None or CERTUTIL is None,
    reason="chromium or certutil (libnss3-tools) is not installed: no banner was looked at",
)
KEEP = os.environ.get("FLEET_TEST_SCREENSHOTS")
"""A folder to keep the screenshots in, for somebody who wants to look at them."""


@pytest.fixture(scope="module")
def running(dusk: Dusk) -> Iterator[Environment]:
    with environment_of(dusk) as environment:
        yield environment


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
    """A person's JupyterLab, which has asked and shows no message: the one of the test before, if it is as good."""
    person.resize(1400, 900)
    if not person.evaluate(AS_NEW):
        person.open("about:blank")
        person.open(environment.url)
        person.wait_for("document.querySelector('.jp-Launcher')")
        person.wait_for(f"{ASKED} > 0")
        person.evaluate("performance.setResourceTimingBufferSize(10000)")  # what ASKED counts
    return person


ASKED = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/watchers')).length"
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"
"""A tab that is shown again asks at once."""
AS_NEW = f"""new Promise((say) => {{
    {LOOK};
    setTimeout(() => say(document.querySelector('.jp-Launcher') !== null
      && document.querySelectorAll('.fleet-row').length === 0
      && document.body.dataset.jpThemeLight === 'true'), 500);
}})"""
"""Whether JupyterLab shows no message, once it had time to ask, and no dark theme."""


def look(lab: Browser, shown: str) -> None:
    """Wait until a message is shown; ask again for as long as it is not."""
    lab.wait_for(f"{LOOK} && {text_of('#dl-fleet-banner')}.includes({json.dumps(shown)})")


def text_of(selector: str) -> str:
    return f"(document.querySelector('{selector}')?.innerText ?? '')"


def shot(lab: Browser, folder: Path, name: str) -> None:
    kept = Path(KEEP) if KEEP else folder
    kept.mkdir(parents=True, exist_ok=True)
    lab.screenshot(kept / f"banner-{name}.png")


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
    lab.wait_for(f"{cut} === 0")
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
@pytest.mark.deep
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
    request = lab.evaluate(ASKED)
    lab.evaluate("new Promise((end) => setTimeout(end, 5000))")
    assert lab.evaluate(ASKED) == request
    lab.evaluate(f"delete document.hidden; {LOOK}")
    lab.wait_for(f"{ASKED} > {request}")


@SEEN
def test_another_site_cannot_keep_it(environment: Environment, lab: Browser) -> None:
    """Who is logged in by a cookie needs Jupyter's XSRF token, as for everything that Jupyter does."""
    post = "fetch('/fleet/keep', {method: 'POST', headers: %s}).then(answer => answer.status)"
    xsrf = "{'X-XSRFToken': document.cookie.match(/_xsrf=([^;]*)/)[1]}"
    assert lab.evaluate(post % "{}") == 403
    assert lab.evaluate(post % xsrf) == 204


def test_the_watcher_on_the_machine_keeps_it(dusk: Dusk, environment: Environment) -> None:
    with watched(dusk, environment, "lifetime"):
        assert environment.ask("POST", "/fleet/keep").status == 204
        eventually(lambda: environment.watchers()["lifetime"]["kept_seconds"] > 3500)


@SEEN
def test_a_notice_of_ec2_comes_through(
    dusk: Dusk, environment: Environment, lab: Browser, tmp_path: Path
) -> None:
    """Through the instance's metadata and the watcher, which runs the person's hook."""
    hook = "printf '#!/bin/sh\\necho all >~/saved-by-hook\\n' >~/on-interruption"
    dusk.said(f"{hook}; chmod +x ~/on-interruption")
    with watched(dusk, environment, "spot"):
        notice = ("--fleet", NAME, "--notice", "10m")
        assert dusk.cli("sandbox", "fault", "add", "spot-interruption", *notice).returncode == 0
        look(lab, "EC2 takes this Spot instance back: save your work now. ~/on-interruption: done.")
        shot(lab, tmp_path, "notice")
    assert (environment.host.home / "saved-by-hook").read_text() == "all\n"

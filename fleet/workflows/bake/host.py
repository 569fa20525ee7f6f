"""What a bake does on its builder: the recipe's steps and tests, what is on it, the scan for secrets, sanitising.

Takes an open host. Each step is a script of its own; what is done already is not done twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fleet.assets.shipped import load_bake_texts
from fleet.errors import BakeError, UnreachableError
from fleet.plan.bake import scripts as bake_scripts
from fleet.plan.bake.manifest import Manifest, parse_manifest
from fleet.plan.bake.scripts import Finding, TestResult
from fleet.recipe.files import RecipeFiles
from fleet.recipe.model import Recipe
from fleet.ssh.connection import OpenHost
from fleet.ssh.execute import READ_SCRIPT, Outcome, execute, framed
from fleet.ssh.progress import Step as Progress
from fleet.ssh.progress import parse_step
from fleet.workflows.context import Context

_LOG_LINES = 20
_TEST_SECONDS = 1200
"""One test that hangs must leave time for the others."""
_OVERDUE = 124
"""What timeout(1) exits with when time was up."""
_GRACE_SECONDS = 30
"""The host ends what takes too long by itself; the connection waits so much longer to hear of it."""

__all__ = [
    "BakeHost",
    "Finding",
    "TestResult",
    "collect_manifest",
    "run_steps",
    "run_tests",
    "sanitise",
    "scan",
]


@dataclass(frozen=True)
class BakeHost:
    """A builder with an open connection. `on_output` gets every line that a step or a test writes, as it comes."""

    context: Context
    opened: OpenHost
    member: str
    on_output: Callable[[str], None]

    def tell(self, progress: Progress) -> None:
        """Report one step."""
        if progress.state != "log":
            self.context.tell(self.member, progress.name, progress.state, progress.detail)


def run_steps(host: BakeHost, recipe: Recipe, files: RecipeFiles, *, deadline: float) -> None:
    """Take the steps of a recipe in their order; those that were taken before are in place.

    Raises BakeError, with the last lines of its output, for the first step that fails.
    """
    _unpack(host, files, deadline=deadline)
    there = _stamps_there(host, deadline=deadline)
    count = len(recipe.steps)
    for index, stamp in enumerate(bake_scripts.stamps(recipe, files)):
        step, name = recipe.steps[index], f"step {index + 1} of {count}"
        if stamp in there:
            host.tell(Progress(name, "done", f"{step.title}: in place"))
            continue
        host.tell(Progress(name, "running", step.title))
        script = bake_scripts.render_step(
            load_bake_texts(),
            step,
            index=index,
            stamp=stamp,
            seconds=_seconds_left(host, deadline),
        )
        outcome, tail = _run(host, script, deadline=deadline, show=host.on_output)
        if outcome.exit_status != 0:
            reason = _reason(outcome.exit_status, tail)
            host.tell(Progress(name, "failed", f"{step.title}: {reason}"))
            raise BakeError(
                f"{name} of {recipe.name} ({step.title}) failed: {reason}",
                remedy="correct the recipe and run `fleet bake` again",
                log=tail,
            )
        host.tell(Progress(name, "done", step.title))


def run_tests(
    host: BakeHost, recipe: Recipe, files: RecipeFiles, *, gpus: int, deadline: float
) -> tuple[TestResult, ...]:
    """Run all tests of a recipe, also after one that failed. `gpus` are those that the instance type has."""
    _unpack(host, files, deadline=deadline)
    return tuple(
        _test(host, recipe, index, gpus=gpus, deadline=deadline)
        for index in range(len(recipe.tests))
    )


def _test(host: BakeHost, recipe: Recipe, index: int, *, gpus: int, deadline: float) -> TestResult:
    test, name = recipe.tests[index], f"test {index + 1} of {len(recipe.tests)}"
    host.tell(Progress(name, "running", test.title))
    seconds = min(_TEST_SECONDS, _seconds_left(host, deadline))
    script = bake_scripts.render_test(
        load_bake_texts(), test, index=index, gpus=gpus, seconds=seconds
    )
    until = host.context.clock() + seconds
    outcome, tail = _run(host, script, deadline=until, show=host.on_output)
    passed = outcome.exit_status == 0
    reason = "" if passed else _reason(outcome.exit_status, tail)
    if passed and test.kind == "run" and test.expect and test.expect not in outcome.stdout:
        passed, reason = False, f"its output does not have {test.expect!r} in it"
    detail = test.title if passed else f"{test.title}: {reason}"
    host.tell(Progress(name, "done" if passed else "failed", detail))
    return TestResult(test.title, passed, tail if passed else (*tail, reason)[-_LOG_LINES:])


def collect_manifest(host: BakeHost, *, deadline: float) -> Manifest:
    """Ask the host what is on it: packages of the system and of each environment, with versions and sizes."""
    host.tell(Progress("manifest", "running", "packages and their sizes"))
    text = _asked(host, bake_scripts.render_manifest(load_bake_texts()), deadline=deadline)
    manifest = parse_manifest(text)
    counted = sum(len(packages) for packages in manifest.sections.values())
    host.tell(Progress("manifest", "done", f"{counted} packages"))
    return manifest


def scan(
    host: BakeHost, *, known: Sequence[str], sanitised: bool, deadline: float
) -> tuple[Finding, ...]:
    """Look through the host's files for secrets. Before it is sanitised, what it needs itself is none.

    `known` are secrets that we gave the host; they travel on stdin. Raises BakeError where it could not look.
    """
    host.tell(Progress("scan", "running", "for what must not be in the image"))
    found = bake_scripts.parse_findings(
        _asked(
            host,
            bake_scripts.render_scan(load_bake_texts(), sanitised=sanitised),
            payload=bake_scripts.scan_input(known),
            deadline=deadline,
        )
    )
    for finding in found:
        host.tell(Progress("scan", "note", str(finding)))
    told = f"{len(found)} found" if found else "clean"
    host.tell(Progress("scan", "failed" if found else "done", told))
    return found


def sanitise(host: BakeHost, *, deadline: float) -> None:
    """Take away what belongs to this one instance or its people; afterwards nobody can log in any more.

    May run again where it was broken off. Raises BakeError where it did not come to its end.
    """
    finished: list[str] = []

    def on_line(line: str) -> None:
        progress = parse_step(line)
        if progress is None:
            return
        host.tell(progress)
        if progress.state == "done":
            finished.append(progress.name)

    script = bake_scripts.render_sanitise(load_bake_texts())
    outcome, tail = _run(host, script, deadline=deadline, show=on_line)
    if outcome.exit_status != 0 or finished[-1:] != ["sanitise"]:
        raise BakeError(
            f"{host.member} was not sanitised to the end: {_reason(outcome.exit_status, tail)}",
            remedy="run `fleet bake` again: no image is made of it as it is",
            log=tail,
        )


def _unpack(host: BakeHost, files: RecipeFiles, *, deadline: float) -> None:
    if files.archive:
        script = bake_scripts.render_unpack(load_bake_texts())
        _asked(host, script, payload=files.archive, deadline=deadline)


def _stamps_there(host: BakeHost, *, deadline: float) -> frozenset[str]:
    return frozenset(
        execute(
            host.opened,
            f"cat ~/{bake_scripts.STAMPS} 2>/dev/null; true",
            deadline=deadline,
            clock=host.context.clock,
            cancelled=host.context.interrupted.is_set,
        ).stdout.split()
    )


def _seconds_left(host: BakeHost, deadline: float) -> int:
    return max(1, int(deadline - host.context.clock()))


def _reason(status: int, tail: Sequence[str]) -> str:
    if status == _OVERDUE:
        return "it did not end in time"
    said = next((line for line in reversed(tail) if line.strip()), "")
    return f"exit status {status}{f', {said}' if said else ''}"


def _asked(host: BakeHost, script: str, *, payload: bytes = b"", deadline: float) -> str:
    """Run a script that must succeed; give its stdout."""
    outcome, _ = _run(host, script, payload=payload, deadline=deadline, show=lambda _: None)
    if outcome.exit_status != 0:
        tail = tuple(bake_scripts.plain(line) for line in outcome.stderr.splitlines())
        raise BakeError(
            f"{host.member} does not answer as it must: {_reason(outcome.exit_status, tail)}",
            remedy="run `fleet bake` again",
            log=tail[-_LOG_LINES:],
        )
    return outcome.stdout


def _run(
    host: BakeHost,
    script: str,
    *,
    payload: bytes = b"",
    deadline: float,
    show: Callable[[str], None],
) -> tuple[Outcome, tuple[str, ...]]:
    """Run a script to its end; give what it left and the last lines that it wrote."""
    tail: deque[str] = deque(maxlen=_LOG_LINES)

    def on_line(line: str) -> None:
        shown = bake_scripts.plain(line)
        tail.append(shown)
        show(shown)

    until, clock = deadline + _GRACE_SECONDS, host.context.clock
    try:
        outcome = execute(
            host.opened,
            READ_SCRIPT,
            stdin=framed(script, payload),
            deadline=until,
            on_line=on_line,
            clock=clock,
            cancelled=host.context.interrupted.is_set,
        )
    except UnreachableError as error:
        if clock() < until or host.context.interrupted.is_set():
            raise
        outcome = Outcome(_OVERDUE, "", error.message)
    return outcome, tuple(tail)

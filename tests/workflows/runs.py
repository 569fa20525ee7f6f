"""Runs of a workflow in processes of their own, which can be killed at any instant.

They come from a fork server that has everything imported and botocore's models read (`warmed`), so that a run
starts at once.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import boto3

from fleet.aws.clients import Aws
from fleet.errors import FleetError
from fleet.workflows.context import Context, Deadlines, Settings
from fleet.workflows.launch.prepare import prepare_up
from fleet.workflows.launch.up import apply_up
from fleet.workflows.teardown.down import apply_down, prepare_down
from tests.sandbox.cloud.recording import Served

# Nobody listens on the hosts' addresses: SSH is refused at once, and given up at once.
SHORT = Deadlines(
    lease=60, visible=2, running=30, ssh=0, bootstrap=1, proof=1, terminated=30, look=0.2
)
START_SECONDS = 60
Run = Callable[[str, str, str], None]


def nap(seconds: float) -> None:
    """Sleep as long as asked, and never long."""
    time.sleep(min(seconds, 0.05))


@functools.cache
def warm_session() -> boto3.Session:
    """A session whose models are read: its clients are made in a hundredth of the time."""
    return boto3.Session("AKIAEXAMPLE", "secret")


def context_over(
    url: str, cache: Path, deadlines: Deadlines = SHORT, *, session: boto3.Session | None = None
) -> Context:
    """A context over a served cloud, whose endpoint the environment names."""
    return Context(
        aws=Aws(session or boto3.Session("AKIAEXAMPLE", "secret"), region="us-east-1"),
        settings=Settings(checkip_url=f"{url}/checkip", cache_root=cache),
        deadlines=deadlines,
        sleep=nap,
    )


def up(url: str, cache: str, text: str) -> None:
    """Plan and apply a spec, in a process of its own."""
    from tests.workflows.conftest import read  # noqa: PLC0415 - conftest imports this file

    os.environ["AWS_ENDPOINT_URL"] = url
    context = context_over(url, Path(cache), session=warm_session())
    apply_up(context, prepare_up(context, read(text), folder=Path()))


def up_that_tells(url: str, cache: str, text: str) -> None:
    """The same; ends with exit code 1 where it is refused, and writes what it says to the cache's file `said`."""
    try:
        up(url, cache, text)
    except FleetError as error:
        (Path(cache) / "said").write_text(str(error))
        raise SystemExit(1) from error


def down(url: str, cache: str, fleet: str) -> None:
    """Take a fleet away, in a process of its own."""
    os.environ["AWS_ENDPOINT_URL"] = url
    context = context_over(url, Path(cache), session=warm_session())
    apply_down(context, prepare_down(context, fleet))


def down_and_keep(url: str, cache: str, fleet: str) -> None:
    """The same, but for its volumes."""
    os.environ["AWS_ENDPOINT_URL"] = url
    context = context_over(url, Path(cache), session=warm_session())
    apply_down(context, prepare_down(context, fleet, keep_volumes=True))


def _preloaded() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.workflows.warmed"])
    return context


_CONTEXT = _preloaded()


def start(run: Run, served: Served, cache: Path, argument: str) -> BaseProcess:
    """Start a run."""
    process = _CONTEXT.Process(target=run, args=(served.url, str(cache), argument), daemon=True)
    process.start()
    return process


def kill(process: BaseProcess) -> None:
    """End a run as a power cut does."""
    if process.pid is not None:
        os.kill(process.pid, signal.SIGKILL)


def ended(process: BaseProcess) -> int | None:
    """Wait until a run has ended; gives its exit code, negative where a signal ended it."""
    process.join(START_SECONDS)
    assert process.exitcode is not None, "the run hangs"
    return process.exitcode

"""20 environments on hosts that boot, with warm caches; and a bootstrap on hosts where everything is in place.

The sandbox's process hosts share this machine's cores, and on EC2 each has its own: there a bootstrap is bound by
the network. In place, its seconds are those from a host's first step to its proof.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from pathlib import Path

from tests.command import Cli, write_spec

COUNT = 20
_STEP = re.compile(r"^ *(\d+\.\d)s . \[(env-\d+)\] (\S+?):?(?: |$)")


def main() -> None:
    """Print how long each phase takes."""
    with tempfile.TemporaryDirectory() as folder:
        cli = Cli(Path(folder))
        spec = write_spec(Path(folder), "twenty").read_text().replace("members: [ana, ben]", "")
        for count in (1, COUNT):
            path = Path(folder) / f"{count}.yaml"
            path.write_text(f"{spec}count: {count}\n")
        try:
            _run(cli, "up", "1.yaml")
            _run(cli, "down", "twenty")
            cli("sandbox", "stop")
            _warm(cli)
            began = time.monotonic()
            told = _run(cli, "up", f"{COUNT}.yaml")
            print(f"{COUNT} environments ready in {time.monotonic() - began:.0f} s")
            for step in ("jupyter", "services", "prove", "ready"):
                at = [seconds for seconds, _, name in told if name == step]
                print(
                    f"  {step:<10} begun: median {statistics.median(at):5.1f} s, last {max(at):5.1f} s"
                )
            _in_place(cli)
        finally:
            cli("sandbox", "stop")


def _in_place(cli: Cli) -> None:
    told = _run(cli, "bootstrap", "twenty", "--member", "env-01")
    at = {name: seconds for seconds, _, name in told}
    print(
        f"in place, one environment: {at['prove'] - at['cloud-init']:.1f} s of work before its proof"
    )


def _warm(cli: Cli) -> None:
    """Start the sandbox, and wait until it has compiled its cache."""
    assert cli("sandbox", "start").returncode == 0
    cache = cli.folder / "sandbox" / "cache"
    archives = len(list((cache / "uv" / "archive-v0").iterdir()))
    deadline = time.monotonic() + 600
    record = cache / "compiled"
    while not record.exists() or len(record.read_text().split()) < archives:
        assert time.monotonic() < deadline, "the cache was not compiled in time"
        time.sleep(1)


def _run(cli: Cli, *words: str) -> list[tuple[float, str, str]]:
    """Run a command; give second, member and step of each line of its progress."""
    paths = [str(cli.folder / word) if word.endswith(".yaml") else word for word in words]
    done = cli("--sandbox", *paths)
    assert done.returncode == 0, done.stderr
    found = (_STEP.match(line) for line in done.stderr.splitlines())
    return [(float(step[1]), step[2], step[3]) for step in found if step]


if __name__ == "__main__":
    main()

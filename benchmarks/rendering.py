"""CPU that a bootstrap script costs per environment: the first one, which compiles the templates, and the others."""

from __future__ import annotations

import time

from fleet.assets.shipped import load_texts
from fleet.plan.environment.bootstrap import HostBootstrap, render_bootstrap
from fleet.plan.environment.request import BootstrapRequest
from fleet.spec.model import Bootstrap

HOSTS = 100


def main() -> None:
    """Render for each of many hosts and print milliseconds of CPU."""
    load_texts()
    milliseconds = [_render(f"member-{number}") for number in range(HOSTS)]
    first, rest = milliseconds[0], milliseconds[1:]
    print(
        f"bootstrap script for {HOSTS} hosts: first {first:.1f} ms of CPU, "
        f"each of the others {sum(rest) / len(rest):.2f} ms"
    )


def _render(member: str) -> float:
    request = BootstrapRequest(
        bootstrap=Bootstrap(packages=("einops",)),
        framework="pytorch",
        interpreters=("/opt/pytorch/bin/python",),
        install=(),
        script_text="",
        ssh_key=None,
        idle_seconds=1800,
        sync=(),
        bootstrap_id="0123456789abcdef",
    )
    host = HostBootstrap(
        member=member,
        token=f"token of {member}",
        tls=True,
        certificate="",
        bind_address="172.31.0.1",
        remote_files=(),
        expires_at=None,
        spot=True,
    )
    start = time.process_time()
    render_bootstrap(load_texts(), request, host=host)
    return (time.process_time() - start) * 1000


if __name__ == "__main__":
    main()

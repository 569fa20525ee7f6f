"""A 20 KB script on N hosts at once: our one channel on one connection, against fabric's `put` and `run`, in turn."""

from __future__ import annotations

import io
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import fabric

from fleet.ssh.connection import open_host
from fleet.ssh.execute import READ_SCRIPT, execute, framed
from fleet.ssh.keys import parse_key_line
from fleet.ssh.openssh import known_hosts_name
from tests.ssh.servers import ADDRESS, Server, ssh_server

HOSTS = 20
RUNS = 5
SCRIPT = "# " + "x" * 20_000 + "\necho done\n"


def ours(server: Server) -> None:
    """One connection, one channel, the script on stdin."""
    deadline = time.monotonic() + 60
    with open_host(server.host(host_key=server.host_key), deadline=deadline) as opened:
        outcome = execute(opened, READ_SCRIPT, stdin=framed(SCRIPT), deadline=deadline)
    assert outcome.stdout == "done\n"


def put_and_run(server: Server) -> None:
    """What fabric's documentation shows: upload, then run."""
    connection = fabric.Connection(
        ADDRESS,
        user="ubuntu",
        port=server.port,
        connect_kwargs={
            "pkey": server.host().private_key,
            "allow_agent": False,
            "look_for_keys": False,
        },
    )
    known = parse_key_line(server.host_key)
    assert known is not None
    connection.client.get_host_keys().add(
        known_hosts_name(ADDRESS, server.port), known.get_name(), known
    )
    with connection:
        name = f"/tmp/fleet-bench-{id(connection)}.sh"
        connection.put(io.StringIO(SCRIPT), name)
        assert connection.run(f"bash {name}; rm {name}", hide=True).stdout == "done\n"


def main() -> None:
    """Run both ways in turn and print medians of wall and client CPU seconds."""
    figures: dict[str, list[tuple[float, float]]] = {"one channel": [], "fabric put + run": []}
    ways: dict[str, Callable[[Server], None]] = {
        "one channel": ours,
        "fabric put + run": put_and_run,
    }
    with ssh_server() as server:
        for _ in range(RUNS):
            for name, access_path in ways.items():
                start, cpu = time.perf_counter(), _cpu()
                with ThreadPoolExecutor(HOSTS) as pool:
                    list(pool.map(access_path, [server] * HOSTS))
                figures[name].append((time.perf_counter() - start, _cpu() - cpu))
    print(
        f"{len(SCRIPT) // 1000} KB script on {HOSTS} connections, median of {RUNS} runs each, in turn"
    )
    for name, values in figures.items():
        wall, used = (statistics.median(column) for column in zip(*values, strict=True))
        print(f"  {name:<18} wall {wall:6.2f} s   CPU (client and server) {used:6.2f} s")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()

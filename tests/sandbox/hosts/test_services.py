"""Units on a host: what systemctl and journalctl say, and what runs."""

from __future__ import annotations

import pytest

from .yard import Host, Yard, processes_of, wait_until

pytestmark = pytest.mark.slow


def install(host: Host, name: str, service: str, unit: str = "") -> None:
    text = f"[Unit]\nDescription=Test {name}\n{unit}\n[Service]\n{service}\n"
    text += "[Install]\nWantedBy=multi-user.target\n"
    done = host.run(f"sudo tee /etc/systemd/system/{name}.service >/dev/null", stdin=text.encode())
    assert done.code == 0, done
    host.check("sudo systemctl daemon-reload")


def pid(host: Host, name: str) -> int:
    return int(host.check(f"systemctl show -p MainPID --value {name}"))


def test_a_killed_service_comes_back(host: Host) -> None:
    install(host, "back", "ExecStart=/bin/sleep 600\nRestart=always\nRestartSec=100ms")
    host.check("sudo systemctl start back")
    first = pid(host, "back")
    host.check(f"kill -9 {first}")
    wait_until(lambda: pid(host, "back") not in (0, first), "the restart")
    assert host.check("systemctl is-active back") == "active\n"
    assert host.check("systemctl show -p NRestarts,ActiveState back").split() == [
        "NRestarts=1",
        "ActiveState=active",
    ]
    host.check("sudo systemctl kill -s KILL back")
    wait_until(lambda: host.check("systemctl show -p NRestarts --value back") == "2\n", "another")
    host.check("sudo systemctl stop back")
    assert host.run("systemctl is-active back").code == 3
    assert pid(host, "back") == 0


def test_unit_keys(host: Host) -> None:
    host.check("mkdir -p 'a b'; echo 'FROM_FILE=\"x y\"' | sudo tee /etc/default-keys")
    install(
        host,
        "keys@",
        "Type=oneshot\nRemainAfterExit=yes\nUser=%u\nWorkingDirectory=~\nUMask=0077\n"
        'Environment="ONE=1 2" TWO=%i\nEnvironmentFile=/etc/default-keys\nEnvironmentFile=-/etc/none\n'
        "OOMScoreAdjust=100\nNice=5\nOdd=1\n"
        "ExecStartPre=-/bin/false\n"
        "ExecStart=/bin/sh -c 'umask; pwd; echo \"$ONE|$TWO|$FROM_FILE|%%\"; echo ${TWO} $$' \n"
        "ExecStart=/bin/echo ${ONE} $ONE",
    )
    host.check("sudo systemctl start keys@inst")
    said = host.check("journalctl -u keys@inst -o cat --no-pager").splitlines()
    assert "0077" in said
    assert str(host.top / "home/ubuntu") in said
    assert "1 2|inst|x y|%" in said
    assert "1 2 1 2" in said
    assert any("Unknown key name 'Odd'" in line for line in said)
    assert not any("Nice" in line for line in said)
    assert host.check("systemctl is-active keys@inst") == "active\n"


def test_failures_have_their_codes(host: Host) -> None:
    install(host, "fails", "Type=oneshot\nExecStart=/bin/sh -c 'echo why; exit 3'")
    assert host.run("sudo systemctl start fails").code == 1
    assert host.check("systemctl is-failed fails") == "failed\n"
    assert host.run("systemctl status fails").code == 3
    assert "why" in host.run("systemctl status fails").out
    host.check("sudo systemctl reset-failed fails")
    assert host.run("systemctl is-failed fails").out == "inactive\n"
    assert host.run("sudo systemctl start nothing").code == 5
    assert host.run("systemctl status nothing").code == 4
    install(host, "absent", "ExecStart=/no/such/program")
    assert host.run("sudo systemctl start absent").code == 1
    assert host.run("sudo systemctl explode now").code == 1


def test_a_service_that_fails_again_and_again_is_given_up(host: Host) -> None:
    limits = "StartLimitBurst=3\nStartLimitIntervalSec=60"
    install(host, "loops", "ExecStart=/bin/false\nRestart=on-failure\nRestartSec=10ms", limits)
    host.run("sudo systemctl start loops")
    wait_until(lambda: host.run("systemctl is-failed loops").code == 0, "the failure")
    assert "start-limit-hit" in host.check("systemctl show -p Result loops")
    assert host.run("systemctl is-active multi-user.target").code == 0


def test_notify_waits_for_ready(host: Host) -> None:
    program = (
        "import os,socket,time; time.sleep(0.5); n=os.environ['NOTIFY_SOCKET'];"
        " s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);"
        " s.sendto(b'READY=1',(chr(0)+n[1:])); time.sleep(600)"
    )
    install(host, "tells", f'Type=notify\nExecStart=python3 -c "{program}"')
    host.check("sudo systemctl start tells")
    assert host.check("systemctl is-active tells") == "active\n"
    install(host, "mute", "Type=notify\nTimeoutStartSec=300ms\nExecStart=/bin/sleep 600")
    assert host.run("sudo systemctl start mute").code == 1
    host.check("sudo systemctl stop tells")


def test_stopping_ends_what_has_escaped_its_session(host: Host) -> None:
    script = '(setsid setsid sleep 602 &) ; trap "" TERM; while :; do sleep 0.1; done'
    install(host, "escapes", f"ExecStart=/bin/bash -c '{script}'\nTimeoutStopSec=300ms")
    host.check("sudo systemctl start escapes")
    wait_until(lambda: host.run("pgrep -f 'sleep 602'").code == 0, "the daemon")
    host.check("sudo systemctl stop escapes")
    assert host.run("pgrep -f 'sleep 602'").code == 1


def test_enabling(host: Host) -> None:
    install(host, "chosen", "ExecStart=/bin/sleep 600")
    assert host.run("systemctl is-enabled chosen").out == "disabled\n"
    host.check("sudo systemctl enable --now chosen")
    assert host.check("systemctl is-enabled chosen; systemctl is-active chosen").split() == [
        "enabled",
        "active",
    ]
    host.check("sudo systemctl disable --now chosen")
    assert host.run("systemctl is-active --quiet chosen").code == 3
    assert host.run("sudo systemctl enable nothing").code == 1


def test_an_enabled_unit_comes_back_after_power_off(yard: Yard) -> None:
    other = yard.boot()
    install(other, "stays", "ExecStart=/bin/sleep 600")
    other.check("sudo systemctl enable --now stays; echo kept > file")
    key = (other.top / "root/etc/ssh/ssh_host_ed25519_key").read_text()
    yard.driver.power_off(other.config.instance_id)
    assert not other.listening()
    assert processes_of(other.top) == []
    assert yard.powered_off == []
    again = yard.boot(other.config)
    wait_until(lambda: again.run("systemctl is-active stays").code == 0, "the unit")
    assert again.check("cat file") == "kept\n"
    assert (other.top / "root/etc/ssh/ssh_host_ed25519_key").read_text() == key


def test_paths_of_the_host_in_a_unit(host: Host) -> None:
    host.check("printf '#!/bin/sh\\ncat \"$1\"\\n' | sudo tee /usr/local/bin/shows >/dev/null")
    host.check("sudo chmod +x /usr/local/bin/shows; echo own | sudo tee /etc/own.conf")
    install(
        host,
        "shows",
        "Type=oneshot\nRuntimeDirectory=shows\nWorkingDirectory=/home/ubuntu\n"
        "ExecStart=/usr/local/bin/shows /etc/own.conf",
    )
    host.check("sudo systemctl start shows")
    assert "own" in host.check("journalctl -u shows -o cat").splitlines()
    assert (host.top / "root/run/shows").is_dir()


def test_systemd_run_and_timers(host: Host) -> None:
    host.check("sudo systemd-run --unit=later --on-active=200ms /bin/touch ran")
    wait_until(
        lambda: (host.top / "root/ran").exists() or (host.top / "home/ubuntu/ran").exists(), "it"
    )
    host.check("echo '[Timer]' | sudo tee /etc/systemd/system/t.timer")
    assert "services only" in host.run("sudo systemctl enable --now t.timer").err


def test_the_root_slice_knows_the_cpu_time_of_all_that_ever_ran(host: Host) -> None:
    show = "systemctl show --property=CPUUsageNSec -- -.slice"

    def used() -> int:
        name, _, value = host.check(show).strip().partition("=")
        assert name == "CPUUsageNSec"
        return int(value)

    before = used()
    # A second of CPU, however busy the machine is. It has ended, and was waited for.
    host.check("sh -c 'ulimit -t 1; while :; do :; done'; true")
    assert used() - before > 300_000_000

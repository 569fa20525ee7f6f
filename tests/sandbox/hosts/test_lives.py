"""When hosts live: boot, power-off, reboot, the end; and that nothing outlives them."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace

import pytest

from fleet.sandbox.hosts import linux

from .yard import Yard, processes_of, wait_until

pytestmark = pytest.mark.slow

ESCAPE = "setsid sh -c 'setsid sleep 603 & setsid sleep 604' >/dev/null 2>&1 </dev/null & sleep 0.2"


def test_a_host_listens_after_its_boot_time_and_not_before(yard: Yard) -> None:
    config = yard.config(boot_seconds=1.0)
    began = time.monotonic()
    host = yard.boot(config)
    assert time.monotonic() - began >= 1.0
    console = yard.driver.console(config.instance_id)
    assert console.count("-----BEGIN SSH HOST KEY KEYS-----") == 1
    yard.driver.boot(config)  # it runs: left alone
    assert host.check("echo up") == "up\n"


def test_console_has_no_key_before_it_has_booted(yard: Yard) -> None:
    config = yard.config(boot_seconds=60)
    yard.driver.boot(config)
    wait_until(lambda: "Linux version" in yard.driver.console(config.instance_id), "console")
    assert "HOST KEY" not in yard.driver.console(config.instance_id)
    began = time.monotonic()
    yard.driver.destroy(config.instance_id)
    assert time.monotonic() - began < 10, "the end of a host does not wait for its boot"
    assert not yard.top(config).exists()


def test_destroy_leaves_no_process_and_no_file(yard: Yard) -> None:
    host = yard.boot()
    host.check(ESCAPE)
    host.check("trap '' TERM; (while :; do sleep 1; done) >/dev/null 2>&1 </dev/null &")
    host.check("mkdir closed && touch closed/file && chmod 0500 closed")
    assert len(yard.processes(host)) >= 4
    yard.driver.destroy(host.config.instance_id)
    assert processes_of(host.top) == []
    assert not host.top.exists()
    assert not host.listening()
    assert host.config.instance_id not in yard.powered_off
    yard.driver.destroy(host.config.instance_id)


def test_shutdown_ends_one_host_alone(yard: Yard) -> None:
    one, two = yard.boot(), yard.boot()
    one.check(ESCAPE)
    assert one.run("sudo shutdown -h now").code == 0
    wait_until(lambda: one.config.instance_id in yard.powered_off, "the call of on_power_off")
    assert processes_of(one.top) == []
    assert one.top.exists()
    assert two.check("echo up") == "up\n"
    assert yard.powered_off.count(one.config.instance_id) == 1


def test_a_shutdown_can_be_planned_and_cancelled(yard: Yard) -> None:
    host = yard.boot()
    host.check("sudo shutdown -h +1; sudo shutdown -c; sudo shutdown -P +600")
    assert host.run("sudo shutdown -h soon").code == 1
    assert host.check("echo up") == "up\n"


def test_reboot_comes_back_by_itself_with_its_disk(yard: Yard) -> None:
    host = yard.boot()
    host.check("echo kept > file")
    host.run("sudo reboot")

    def boots() -> int:
        return yard.driver.console(host.config.instance_id).count("BEGIN SSH HOST KEY KEYS")

    wait_until(lambda: boots() == 2, "the second boot")
    assert host.check("cat file") == "kept\n"
    assert host.config.instance_id not in yard.powered_off


def test_a_killed_init_takes_everything_with_it(yard: Yard) -> None:
    host = yard.boot()
    host.check(ESCAPE)
    os.kill(int(host.check("echo $PPID")), signal.SIGKILL)
    wait_until(lambda: host.config.instance_id in yard.powered_off, "the call of on_power_off")
    assert processes_of(host.top) == []
    again = yard.boot(replace(host.config, boot_seconds=0.0))
    assert again.check("echo up") == "up\n"


def test_a_killed_hypervisor_takes_every_host_with_it(yard: Yard) -> None:
    host = yard.boot()
    host.check(ESCAPE)
    init = int(host.check("echo $PPID"))
    found = linux.process(init)
    assert found is not None
    os.kill(found.parent, signal.SIGKILL)
    wait_until(lambda: processes_of(host.top) == [], "the end of the host")
    wait_until(lambda: host.config.instance_id in yard.powered_off, "the call of on_power_off")
    assert yard.boot(host.config).check("echo up") == "up\n"


def test_twenty_hosts(yard: Yard) -> None:
    began = time.monotonic()
    configs = [yard.config() for _ in range(20)]
    for config in configs:
        yard.driver.boot(config)
    for config in configs:
        yard.boot(config)
    assert time.monotonic() - began < 20, "a second for all of them on a free machine"

"""What a program finds on a host: its environment, its files, its stand-ins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fleet.sandbox.driver import Gpu

if TYPE_CHECKING:
    from .yard import Host, Yard

pytestmark = pytest.mark.slow

L4 = Gpu("NVIDIA L4", 23034)


def test_the_environment_is_the_host_s_own(host: Host) -> None:
    said = dict(line.split("=", 1) for line in host.check("env -0 | tr '\\0' '\\n'").splitlines())
    assert said["HOME"] == str(host.top / "home/ubuntu")
    assert said["USER"] == said["LOGNAME"] == "ubuntu"
    assert said["TMPDIR"] == str(host.top / "tmp")
    assert said["PATH"].startswith(f"{host.top}/bin:{host.top}/tools:")
    assert not [name for name in said if name.startswith("AWS_")]
    assert "PYTEST_CURRENT_TEST" not in said


def test_python_and_uv_are_there_and_make_environments(host: Host) -> None:
    host.check("python3 -m venv --without-pip v && v/bin/python3 -c 'import ssl'")
    host.check("uv venv --offline --no-config w && w/bin/python -c 'import ssl'")


def test_hostname_and_os(host: Host) -> None:
    name = "ip-" + host.config.address.replace(".", "-")
    assert host.check("hostname; hostname -I; hostname -i; hostname -s").split() == [
        name,
        host.config.address,
        host.config.address,
        name,
    ]
    assert "Ubuntu 24.04" in host.check("sudo cat /etc/os-release")


def test_amazon_linux(yard: Yard) -> None:
    other = yard.boot(user="ec2-user")
    assert 'ID="amzn"' in other.check("sudo cat /etc/os-release")


def test_sudo_writes_to_the_host_alone(host: Host) -> None:
    host.check("echo here | sudo -n tee /etc/fleet-test >/dev/null")
    assert (host.top / "root/etc/fleet-test").read_text() == "here\n"
    assert not Path("/etc/fleet-test").exists()
    host.check("cd /etc && echo two | sudo tee relative >/dev/null")
    assert (host.top / "root/etc/relative").exists()
    host.check("sudo install -D -o root -m 0600 /dev/stdin /opt/fleet/key < /etc/hostname")
    assert (host.top / "root/opt/fleet/key").stat().st_mode & 0o777 == 0o600
    host.check("sudo sed -i s/here/there/ /etc/fleet-test && sudo test -s /etc/fleet-test")
    assert host.check("sudo cat /etc/fleet-test") == "there\n"


@pytest.mark.parametrize(
    "command", ["bash -c id", "-i", "/bin/sh", "python3 -c 1", "dd if=/dev/zero", "-u nobody true"]
)
def test_sudo_refuses_what_is_not_its_own(host: Host, command: str) -> None:
    done = host.run(f"sudo {command} </dev/null")
    assert done.code == 1
    assert done.err.startswith("sudo: ")


def test_sudo_keeps_the_host_s_own_programs(host: Host) -> None:
    host.check("sudo -E -H systemctl daemon-reload && sudo /usr/bin/systemctl daemon-reload")
    host.check("sudo chown root:root /etc/hostname && sudo true && sudo -n -v")


def test_there_are_no_packages(host: Host) -> None:
    host.check("sudo apt-get update -qq && sudo apt-get -o DPkg::Lock::Timeout=60 install -y")
    done = host.run("sudo DEBIAN_FRONTEND=noninteractive apt-get install -y nginx")
    assert done.code == 100
    assert "no packages of its own" in done.err


def test_nvidia_smi_without_gpus(host: Host) -> None:
    done = host.run("nvidia-smi")
    assert (done.code, done.out) == (6, "No devices were found\n")


@pytest.mark.parametrize("count", [1, 4])
def test_nvidia_smi(yard: Yard, count: int) -> None:
    other = yard.boot(gpus=(L4,) * count)
    assert len(other.check("nvidia-smi -L").splitlines()) == count
    query = "nvidia-smi --query-gpu=index,name,memory.total,count --format=csv,noheader,nounits"
    lines = other.check(query).splitlines()
    assert lines == [f"{at}, NVIDIA L4, 23034, {count}" for at in range(count)]
    assert other.check("nvidia-smi").count("NVIDIA L4") == count
    head = other.check("nvidia-smi --query-gpu=memory.used,driver_version --format=csv").split("\n")
    assert head[0] == "memory.used [MiB], driver_version"
    assert head[1].startswith("0 MiB, 5")


def test_gpus_are_as_busy_as_a_file_says(yard: Yard) -> None:
    other = yard.boot(gpus=(L4, L4))
    query = "nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits"
    assert other.check(query) == "0\n0\n"
    other.check("echo 87 | sudo tee /etc/gpu-load")
    assert other.check(query) == "87\n87\n"
    other.check("echo lost | sudo tee /etc/gpu-load")
    lost = other.run(query)
    assert (lost.code, lost.out.count("Unknown Error")) == (15, 1)


def test_cloud_init_is_done_and_the_user_data_kept(host: Host) -> None:
    assert host.check("cloud-init status --wait") == "status: done\n"
    kept = host.top / "root/var/lib/cloud/instance/user-data.txt"
    assert kept.read_bytes() == host.config.user_data
    assert kept.stat().st_mode & 0o777 == 0o600


def test_the_console_shows_the_host_key(host: Host, yard: Yard) -> None:
    text = yard.driver.console(host.config.instance_id)
    block = text.split("-----BEGIN SSH HOST KEY KEYS-----\n")[1]
    public = (host.top / "root/etc/ssh/ssh_host_ed25519_key.pub").read_text()
    assert block.startswith(public.strip() + "\n-----END SSH HOST KEY KEYS-----\n")
    assert yard.driver.console("i-unknown") == ""


def test_pkill_and_pgrep_see_this_host_only(yard: Yard) -> None:
    one, two = yard.boot(), yard.boot()
    for each in (one, two):
        each.check("setsid sleep 601 >/dev/null 2>&1 </dev/null &")
        assert each.check("pgrep -x sleep").split()
    assert len(one.check("pgrep -x sleep").split()) == 1
    one.check("pkill -x sleep")
    assert one.run("pgrep -x sleep").code == 1
    assert two.run("pgrep -x sleep").code == 0
    assert two.run("sudo killall -9 sleep").code == 0


def test_stand_ins_are_quick(host: Host) -> None:
    done = host.run(
        "TIMEFORMAT='%U %S'; time for i in 1 2 3 4 5 6 7 8 9 10; do hostname; done >/dev/null"
    )
    used = sum(map(float, done.err.split()))
    assert used / 10 < 5 * 0.02, "20 ms of CPU each, five times that on a slow machine"

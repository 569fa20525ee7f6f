"""The sandbox's daemon: started once, found, reset, stopped, and never survived by its hosts."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import paramiko
import pytest

from fleet.errors import SandboxError
from fleet.sandbox import control, strays
from fleet.sandbox.control import Sandbox
from fleet.sandbox.hosts import linux, packages

pytestmark = pytest.mark.slow

PATIENCE = 60.0


def wait_until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE} s"
        time.sleep(0.05)


def client(sandbox: Sandbox, service: str) -> Any:
    variables = control.environment(sandbox)
    session = boto3.session.Session(
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
    )
    return session.client(service, endpoint_url=variables["AWS_ENDPOINT_URL"])  # type: ignore[call-overload]


def launch(sandbox: Sandbox, key: paramiko.RSAKey) -> tuple[str, str]:
    """One running instance: its id and its address."""
    ec2 = client(sandbox, "ec2")
    public = f"{key.get_name()} {key.get_base64()}".encode()
    ec2.import_key_pair(KeyName="test", PublicKeyMaterial=public)
    images = ec2.describe_images(Owners=["amazon"])["Images"]
    image = next(
        each for each in images if "x86_64" in each["Architecture"] and "Ubuntu" in each["Name"]
    )
    made = ec2.run_instances(
        ImageId=image["ImageId"], InstanceType="m5.large", MinCount=1, MaxCount=1, KeyName="test"
    )
    instance_id = made["Instances"][0]["InstanceId"]

    def described() -> dict[str, Any]:
        found = ec2.describe_instances(InstanceIds=[instance_id])
        one: dict[str, Any] = found["Reservations"][0]["Instances"][0]
        return one

    wait_until(lambda: described()["State"]["Name"] == "running", "running")
    address: str = described()["PublicIpAddress"]
    wait_until(lambda: listens(address, sandbox.ssh_port), "SSH")
    return instance_id, address


def listens(address: str, port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(5)
        return sock.connect_ex((address, port)) == 0


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "sandbox"
    yield path
    control.stop(path)


def test_starting_twice_gives_the_same(directory: Path) -> None:
    assert control.status(directory) is None
    sandbox = control.start(directory, boot_seconds=0.1, region="eu-west-1")
    assert control.start(directory) == sandbox == control.status(directory)
    assert (sandbox.region, sandbox.boot_seconds, sandbox.hosts) == ("eu-west-1", 0.1, 0)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "state.json").stat().st_mode & 0o777 == 0o600
    answer = client(sandbox, "sts").get_caller_identity()
    assert answer["Account"].isdigit()


def test_stop_leaves_the_package_cache_alone(directory: Path) -> None:
    sandbox = control.start(directory)
    (directory / "cache/uv").mkdir(parents=True)
    (directory / "cache/uv/wheel").touch()
    (directory / "fleet-cache").mkdir()
    assert control.stop(directory) is True
    assert [str(each.relative_to(directory)) for each in sorted(directory.rglob("*"))] == [
        "cache",
        "cache/uv",
        "cache/uv/wheel",
    ]
    left = linux.process(sandbox.pid)
    assert left is None or left.state == "Z", "whoever adopted it may not have buried it"
    assert not listens("127.0.0.1", int(sandbox.endpoint.rpartition(":")[2]))
    assert control.status(directory) is None
    assert control.stop(directory) is False


def test_stopping_what_never_was(tmp_path: Path) -> None:
    assert control.stop(tmp_path / "nowhere") is False
    assert not (tmp_path / "nowhere").exists()


def test_two_that_start_at_the_same_time_get_the_same(directory: Path) -> None:
    program = (
        "import sys, pathlib; from fleet.sandbox import control;"
        "print(control.start(pathlib.Path(sys.argv[1])).pid)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", program, str(directory)], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    said = {each.communicate(timeout=PATIENCE)[0] for each in started}
    assert len(said) == 1
    assert said.pop().strip().isdigit()


def test_two_sandboxes_side_by_side(directory: Path, tmp_path: Path) -> None:
    key = paramiko.RSAKey.generate(2048)
    one = control.start(directory, boot_seconds=0.1)
    two = control.start(tmp_path / "second", boot_seconds=0.1)
    try:
        assert one.endpoint != two.endpoint
        _, first = launch(one, key)
        _, second = launch(two, key)
        assert first.split(".")[:2] != second.split(".")[:2]
        control.stop(directory)
        assert not listens(first, one.ssh_port)
        assert listens(second, two.ssh_port)
    finally:
        control.stop(tmp_path / "second")


def test_reset_forgets_every_host(directory: Path) -> None:
    sandbox = control.start(directory, boot_seconds=0.1)
    _, address = launch(sandbox, paramiko.RSAKey.generate(2048))
    running = control.status(directory)
    assert running is not None
    assert running.hosts == 1
    control.reset(directory)
    assert not listens(address, sandbox.ssh_port)
    assert list((directory / "hosts").glob("*")) == []
    after = control.status(directory)
    assert after is not None
    assert (after.hosts, after.pid) == (0, sandbox.pid)
    assert client(sandbox, "ec2").describe_instances()["Reservations"] == []


def test_reset_without_a_sandbox(directory: Path) -> None:
    with pytest.raises(SandboxError, match="fleet sandbox start"):
        control.reset(directory)


def test_a_killed_daemon_leaves_nothing(directory: Path) -> None:
    sandbox = control.start(directory, boot_seconds=0.1)
    key = paramiko.RSAKey.generate(2048)
    instance_id, address = launch(sandbox, key)
    with paramiko.SSHClient() as ssh:
        ssh.set_missing_host_key_policy(paramiko.WarningPolicy())
        with pytest.warns(UserWarning, match="Unknown ssh"):
            ssh.connect(address, sandbox.ssh_port, "ubuntu", pkey=key, timeout=PATIENCE)
        escape = "setsid sh -c 'setsid sleep 605 &' >/dev/null 2>&1 </dev/null & sleep 0.3"
        _, out, _ = ssh.exec_command(escape, timeout=PATIENCE)
        assert out.channel.recv_exit_status() == 0
    assert len(strays.find(directory)) >= 3
    os.kill(sandbox.pid, signal.SIGKILL)
    wait_until(lambda: strays.find(directory) == [], "the end of every process")
    assert not listens(address, sandbox.ssh_port)
    assert control.status(directory) is None
    again = control.start(directory)
    assert again.pid != sandbox.pid
    assert not (directory / "hosts" / instance_id).exists()


def test_stop_after_everything_was_killed_at_once(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(packages.VARIABLE, raising=False)  # the cache is the sandbox's own
    sandbox = control.start(directory, boot_seconds=0.1)
    launch(sandbox, paramiko.RSAKey.generate(2048))
    for pid in [sandbox.pid, *strays.find(directory)]:
        os.kill(pid, signal.SIGSTOP)  # nobody can tidy up any more
    os.kill(sandbox.pid, signal.SIGKILL)
    assert control.stop(directory) is True
    assert strays.find(directory) == []
    assert [each.name for each in directory.iterdir()] == ["cache"]


def test_a_state_file_of_somebody_else_is_not_believed(directory: Path) -> None:
    sandbox = control.start(directory)
    text = (directory / "state.json").read_text()
    control.stop(directory)
    directory.mkdir(exist_ok=True)
    (directory / "state.json").write_text(text.replace(str(sandbox.pid), str(os.getpid())))
    assert control.status(directory) is None
    assert not (directory / "state.json").exists()
    assert control.stop(directory) is False


def test_the_error_carries_the_log(directory: Path) -> None:
    with pytest.raises(SandboxError, match=r"did not start.*could not convert string to float"):
        control.start(directory, boot_seconds="soon")  # type: ignore[arg-type]
    assert control.status(directory) is None


def test_the_control_requests_need_the_secret(directory: Path) -> None:
    sandbox = control.start(directory)
    connection = http.client.HTTPConnection(sandbox.endpoint.removeprefix("http://"), timeout=10)
    for secret in ("", "wrong"):
        connection.request("POST", "/_fleet/reset", headers={"X-Fleet-Secret": secret})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 403
    connection.close()


def test_environment() -> None:
    sandbox = Sandbox(1, "http://127.0.0.1:9", "eu-west-1", Path("/d"), 2222, "", 2.0, 0)
    plain = control.environment(sandbox, environ={})
    assert plain["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"
    assert plain["AWS_REGION"] == plain["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert plain["FLEET_CHECKIP_URL"] == "http://127.0.0.1:9/checkip"
    assert plain["FLEET_SSH_PORT"] == "2222"
    assert plain["AWS_CONFIG_FILE"] == plain["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_EC2"):
        assert plain[name] is None
    assert "NO_PROXY" not in plain
    proxied = control.environment(
        sandbox, environ={"https_proxy": "http://proxy.example:3128", "NO_PROXY": "example.org"}
    )
    assert (
        proxied["NO_PROXY"] == proxied["no_proxy"] == "example.org,127.0.0.1,127.0.0.0/8,localhost"
    )


def test_importing_control_is_cheap() -> None:
    program = (
        "import sys, fleet.sandbox.control;"
        "sys.exit(bool({'asyncssh', 'moto', 'boto3', 'paramiko', 'asyncio'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_threads_of_one_process_share_a_start(directory: Path) -> None:
    pids: list[int] = []
    threads = [
        threading.Thread(target=lambda: pids.append(control.start(directory).pid)) for _ in range(3)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(PATIENCE)
    assert len(pids) == 3
    assert len(set(pids)) == 1

"""A host's SSH server, over paramiko and over OpenSSH's client."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from pathlib import Path

import paramiko
import pytest

from .yard import PATIENCE, Host, Yard, wait_until

pytestmark = pytest.mark.slow


def openssh(
    host: Host, *words: str, program: str = "ssh", stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"OpenSSH's {program} is not on this machine")
    key = (host.top / "root/etc/ssh/ssh_host_ed25519_key.pub").read_text()
    known = host.key.parent / "known_hosts"
    config = host.config
    known.write_text(f"[{config.address}]:{config.ssh_port} {key}{config.address} {key}")
    options = ["-F", "none", "-i", str(host.key), "-o", f"UserKnownHostsFile={known}"]
    options += ["-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes"]
    port = ["-P" if program == "scp" else "-p", str(config.ssh_port)]
    return subprocess.run(
        [found, *options, *port, *words],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def login(host: Host) -> str:
    return f"{host.config.user}@{host.config.address}"


def test_a_command_has_streams_and_a_status(host: Host) -> None:
    done = host.run("cat; echo no >&2; exit 7", stdin=b"in")
    assert (done.code, done.out, done.err) == (7, "in", "no\n")


def test_a_megabyte_goes_in_and_comes_back(host: Host) -> None:
    data = bytes(range(1, 128)) * 8192
    done = host.run("tee >(wc -c >&2)", stdin=data)
    assert done.out.encode() == data


def test_the_script_idiom_of_the_product(host: Host) -> None:
    done = host.run('bash -c "$(cat)"', stdin=b"echo one\ncd /\npwd\n" + b"# filler\n" * 5000)
    assert done.out == "one\n/\n"


def test_a_killed_command_reports_its_signal(host: Host) -> None:
    with host.client() as client:
        _, out, _ = client.exec_command("kill -TERM $$", timeout=PATIENCE)
        assert out.channel.recv_exit_status() == -1  # paramiko has no word for exit-signal
    done = openssh(host, login(host), "echo in; kill -TERM $$")
    assert (done.returncode, done.stdout, done.stderr) == (255, "in\n", "")


def test_a_signal_reaches_the_command(host: Host) -> None:
    with host.client() as client:
        channel = client.get_transport().open_session()  # type: ignore[union-attr]
        channel.settimeout(PATIENCE)
        channel.exec_command("trap 'echo got; exit 3' INT; echo up; while :; do sleep 0.05; done")
        assert channel.recv(10) == b"up\n"
        message = paramiko.Message()
        message.add_byte(b"\x62")
        message.add_int(channel.remote_chanid)
        message.add_string("signal")
        message.add_boolean(False)
        message.add_string("INT")
        transport = client.get_transport()
        assert transport is not None
        transport._send_user_message(message)  # type: ignore[attr-defined]
        assert channel.recv(10) == b"got\n"
        assert channel.recv_exit_status() == 3


def test_a_terminal_has_a_size_and_a_shell(host: Host) -> None:
    with host.client() as client:
        channel = client.invoke_shell(term="xterm", width=101, height=33)
        channel.settimeout(PATIENCE)
        said = b""
        channel.sendall(b"stty size; tty; echo $TERM\n")
        while b"xterm\r" not in said:
            said += channel.recv(4096)
        assert b"33 101" in said
        assert b"/dev/pts/" in said
        channel.resize_pty(width=77, height=22)
        channel.sendall(b"stty size; exit 5\n")
        while part := channel.recv(4096):
            said += part
        assert b"22 77" in said
        assert channel.recv_exit_status() == 5


def test_leaving_a_terminal_ends_its_shell(host: Host, yard: Yard) -> None:
    before = set(yard.processes(host))
    with host.client() as client:
        channel = client.invoke_shell()
        channel.sendall(b"sleep 600\n")
        wait_until(lambda: len(set(yard.processes(host)) - before) >= 2, "shell and sleep")
    wait_until(lambda: set(yard.processes(host)) <= before, "end of the shell and its sleep")


@pytest.mark.parametrize("user", ["root", "ec2-user", ""])
def test_only_the_host_s_user_with_its_key(host: Host, yard: Yard, user: str) -> None:
    key = None if user else yard.new_key("stranger")
    with pytest.raises(paramiko.AuthenticationException), host.client(user=user, key=key):
        pass


def test_a_key_added_later_is_accepted_and_one_removed_is_not(host: Host, yard: Yard) -> None:
    key = yard.new_key("colleague")
    public = Path(f"{key}.pub").read_text().strip()
    file = "~/.ssh/authorized_keys"
    host.check(f"echo 'from=\"127.0.0.0/8\" {public}' >> {file}")
    with host.client(key=key) as client:
        assert client.get_transport() is not None
    host.check(f"sed -i '/colleague/d' {file}")
    with pytest.raises(paramiko.AuthenticationException), host.client(key=key):
        pass


def test_no_password(host: Host) -> None:
    done = openssh(
        host, "-o", "PubkeyAuthentication=no", "-o", "BatchMode=yes", login(host), "true"
    )
    assert done.returncode == 255
    assert "Permission denied (publickey)" in done.stderr


def test_openssh_runs_commands(host: Host) -> None:
    done = openssh(host, login(host), "cat; exit 4", stdin="through\n")
    assert (done.returncode, done.stdout) == (4, "through\n")


def test_openssh_has_a_terminal(host: Host) -> None:
    done = openssh(host, "-tt", login(host), "tty; exit 6")
    assert done.returncode == 6
    assert done.stdout.startswith("/dev/pts/")


def test_scp_and_sftp(host: Host, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * 300_000)
    for old in ([], ["-O"]):
        done = openssh(host, *old, str(source), f"{login(host)}:there", program="scp")
        assert done.returncode == 0, done
        assert (host.top / "home/ubuntu/there").read_bytes() == source.read_bytes()
    with host.client() as client, client.open_sftp() as sftp:
        assert sftp.normalize(".") == str(host.top / "home/ubuntu")
        assert sftp.stat("there").st_size == 300_000
        with sftp.open("/etc/os-release") as file:
            assert b"Ubuntu 24.04" in file.read()
        with sftp.open("/etc/mine", "w") as file:
            file.write("mine")
    assert (host.top / "root/etc/mine").read_text() == "mine"
    assert not Path("/etc/mine").exists()


def test_a_forwarded_port_reaches_the_host_s_own_localhost(host: Host) -> None:
    program = (
        "import http.server, os\n"
        "server = http.server.HTTPServer((os.environ['SSH_CONNECTION'].split()[2], 8899),"
        " http.server.SimpleHTTPRequestHandler)\n"
        "print('up', flush=True); server.handle_request()\n"
    )
    with host.client() as client:
        _, out, _ = client.exec_command(f'python3 -c "{program}"', timeout=PATIENCE)
        assert out.readline() == "up\n"
        transport = client.get_transport()
        assert transport is not None
        channel = transport.open_channel(
            "direct-tcpip", ("localhost", 8899), ("127.0.0.1", 1), timeout=PATIENCE
        )
        channel.settimeout(PATIENCE)
        channel.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert channel.recv(15).startswith(b"HTTP/1.0 200")
        with pytest.raises(paramiko.ChannelException):
            transport.open_channel("direct-tcpip", ("192.0.2.1", 80), ("127.0.0.1", 1), timeout=5)


def test_many_at_once(host: Host) -> None:
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda: codes.append(host.run("exit 2").code)) for _ in range(10)
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert codes == [2] * 10
    assert time.monotonic() - began < PATIENCE


def test_a_login_shell_keeps_the_stand_ins(host: Host) -> None:
    assert host.check("bash -lc 'command -v sudo'").strip() == str(host.top / "bin/sudo")

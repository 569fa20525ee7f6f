"""Parts of the bootstrap script, run by bash over interpreters, package managers and devices made for it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fleet.assets.shipped import load_texts
from fleet.plan.environment.request import BootstrapRequest, parse_request, request_text
from fleet.plan.rendering import render
from fleet.spec.model import Bootstrap


def run(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run bash with a home and, first on PATH, programs of its own below the folder."""
    (folder / "home").mkdir(exist_ok=True)
    (folder / "bin").mkdir(exist_ok=True)
    environment = {"HOME": str(folder / "home"), "PATH": f"{folder / 'bin'}:/usr/bin:/bin"}
    return subprocess.run(
        ["bash", "-c", script],
        env=environment,
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )


STEPS = load_texts().parts["steps"] + "prepare\n"


def part(name: str, **values: Any) -> str:
    return render(STEPS + load_texts().parts[name], load_texts().parts, **values)


SYSTEM = "person_files=$HOME\n" + part("system", numa_unit="")


def program(folder: Path, name: str, text: str) -> None:
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def environment(where: Path, **modules: str) -> Path:
    """An interpreter with modules of the texts given; each of its starts leaves a line in `starts`."""
    site = where / "lib/python3.12/site-packages"
    site.mkdir(parents=True)
    for name, text in modules.items():
        (site / f"{name}.py").write_text(text)
    python = where / "bin/python"
    python.parent.mkdir()
    python.write_text(
        f"#!{sys.executable} -IB\nimport sys\nwith open({str(where / 'starts')!r}, 'a') as file:\n"
        f"    file.write('started\\n')\nassert sys.argv[1:3] == ['-IB', '-c']\n"
        f"sys.path.insert(0, {str(site)!r})\nsys.prefix = {str(where)!r}\nexec(sys.argv[3])\n"
    )
    python.chmod(0o755)
    return python


def starts(python: Path) -> int:
    return len((python.parent.parent / "starts").read_text().splitlines())


def said(
    folder: Path, *interpreters: Path, framework: str | None = "pytorch", again: str = ""
) -> str:
    """What the step prints, then the default kernel and the kernels."""
    request = BootstrapRequest(
        Bootstrap(), framework, tuple(map(str, interpreters)), (), "", None, None, (), "1"
    )
    script = f"again={again}\n" + part(
        "interpreters", request=request, probe_program=load_texts().probe
    )
    return run(folder, script + '\nprintf "%s\\n%s" "$kernel" "$probed" >&3').stdout


def look(
    folder: Path, *interpreters: Path, framework: str | None = "pytorch", again: str = ""
) -> tuple[str, dict[str, tuple[str, str]]]:
    """The default kernel, and title and interpreter by kernel; this machine's own interpreters are left out."""
    shown = said(folder, *interpreters, framework=framework, again=again).splitlines()
    lines = [line for line in shown if not line.startswith("@fleet")]
    rows = [line.split("\t") for line in lines[1:] if str(folder) in line]
    return lines[0], {name: (title, python) for name, title, python in rows}


def test_each_interpreter_with_a_framework_is_a_kernel(tmp_path: Path) -> None:
    torch = environment(tmp_path / "opt/pytorch", torch="__version__ = '2.9.1+cu130'")
    broken = environment(tmp_path / "opt/broken", torch="import no_such_thing")
    bare = environment(tmp_path / "opt/bare")
    conda = tmp_path / "home/anaconda3/envs"
    flow = environment(conda / "tensorflow2_p310", tensorflow="__version__ = '2.18.0'")
    both = environment(conda / "both", torch="__version__ = '2.5.1'", mxnet="__version__ = '1.9.1'")
    kernel, found = look(tmp_path, torch, broken, bare, tmp_path / "nowhere/python")
    assert kernel == "fleet-pytorch"
    assert found == {
        "fleet-pytorch": (f"PyTorch 2.9.1 ({tmp_path}/opt/pytorch)", str(torch)),
        "fleet-tensorflow": (f"TensorFlow 2.18.0 ({conda}/tensorflow2_p310)", str(flow)),
        "fleet-pytorch2": (f"PyTorch 2.5.1, MXNet 1.9.1 ({conda}/both)", str(both)),
    }
    log = (tmp_path / "home/.fleet/log/bootstrap.log").read_text()
    assert "import torch: ModuleNotFoundError" in log


@pytest.mark.parametrize(
    ("asked", "kernel"),
    [("pytorch", "fleet-pytorch"), (None, "fleet-pytorch")],
)
def test_the_asked_framework_is_the_default(asked: str | None, kernel: str, tmp_path: Path) -> None:
    torch = environment(tmp_path / "opt/pytorch", torch="__version__ = '2.9.1'")
    assert look(tmp_path, torch, framework=asked)[0] == kernel


def test_a_framework_that_no_interpreter_has_ends_the_bootstrap(tmp_path: Path) -> None:
    torch = environment(tmp_path / "opt/pytorch", torch="__version__ = '2.9.1'")
    told = said(tmp_path, torch, framework="tensorflow")
    assert "@fleet\tinterpreters\tlog\tno Python of this image imports tensorflow\n" in told
    assert told.endswith("@fleet\tinterpreters\tfailed\texit status 1\n")
    environment(tmp_path / "home/anaconda3/envs/flow", tensorflow="__version__ = '2.18.0'")
    assert look(tmp_path, torch, framework="tensorflow")[0] == "fleet-tensorflow"


def test_what_failed_to_import_is_asked_again(tmp_path: Path) -> None:
    torch = environment(tmp_path / "opt/pytorch", torch="raise OSError('too slow')")
    for times in (1, 2):
        assert "imports pytorch" in said(tmp_path, torch)
        assert starts(torch) == times


def test_of_several_frameworks_the_asked_one_names_the_kernel(tmp_path: Path) -> None:
    both = environment(tmp_path / "both", torch="__version__ = '2'", mxnet="__version__ = '1'")
    kernel, found = look(tmp_path, both, framework="mxnet")
    assert (kernel, list(found)) == ("fleet-mxnet", ["fleet-mxnet"])


def test_an_interpreter_is_asked_once_and_again_when_something_was_installed(
    tmp_path: Path,
) -> None:
    torch = environment(tmp_path / "opt/pytorch", torch="__version__ = '2.9.1'")
    first = look(tmp_path, torch)
    assert look(tmp_path, torch) == first
    assert starts(torch) == 1
    (tmp_path / "opt/pytorch/lib/python3.12/site-packages/mxnet.py").write_text("__version__ = '1'")
    assert look(tmp_path, torch)[1]["fleet-pytorch"][0].startswith("PyTorch 2.9.1, MXNet 1 ")
    assert starts(torch) == 2
    look(tmp_path, torch, again="yes")
    assert starts(torch) == 3


def test_apt_is_waited_for_and_nobody_is_ended(tmp_path: Path) -> None:
    (tmp_path / "lists").write_text("")
    program(tmp_path, "sudo", 'while [[ $1 == -n || $1 == *=* ]]; do shift; done\nexec "$@"')
    program(tmp_path, "sleep", f'echo "slept $1" >>{tmp_path}/lists')
    program(
        tmp_path,
        "apt-get",
        f"""echo "apt-get $*" >>{tmp_path}/lists
case "$*" in
  *install*) [ -e {tmp_path}/updated ] ;;
  *update*) if [ "$(grep -c slept {tmp_path}/lists)" -lt 2 ]; then
      echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 812 (apt-get)' >&2; exit 100; fi
    touch {tmp_path}/updated ;;
esac""",
    )
    done = run(tmp_path, SYSTEM + "\ninstall_from_os git")
    assert done.returncode == 0, done.stdout
    said = (tmp_path / "lists").read_text().splitlines()
    install = "apt-get -qy -o DPkg::Lock::Timeout=600 install git"
    update = "apt-get -q update"
    assert said[-6:] == [update, "slept 10", update, "slept 10", update, install]


def test_without_a_network_updating_is_not_tried_again(tmp_path: Path) -> None:
    program(tmp_path, "sudo", 'while [[ $1 == -n || $1 == *=* ]]; do shift; done\nexec "$@"')
    program(
        tmp_path,
        "apt-get",
        f"echo \"$*\" >>{tmp_path}/said; echo 'E: Temporary failure resolving' >&2; exit 100",
    )
    done = run(tmp_path, SYSTEM + "\ninstall_from_os git || echo 'not there' >&3")
    assert done.stdout.splitlines()[-1] == "not there"
    assert (tmp_path / "said").read_text().count("update") == 1


def test_amazon_linux_uses_dnf(tmp_path: Path) -> None:
    program(tmp_path, "sudo", 'shift\nexec "$@"')
    program(tmp_path, "dnf", f'echo "$*" >{tmp_path}/said')
    hidden = 'command() { [ "$2" != apt-get ] && builtin command "$@"; }\n'
    done = run(tmp_path, hidden + SYSTEM + "\ninstall_from_os git")
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "said").read_text() == "-qy install git\n"


def test_numa_nodes_are_set_for_nvidia_devices_that_have_none(tmp_path: Path) -> None:
    devices = {"gpu": ("0x10de", "-1"), "set": ("0x10de", "1"), "nic": ("0x1d0f", "-1")}
    for name, (vendor, node) in devices.items():
        (tmp_path / "devices" / name).mkdir(parents=True)
        (tmp_path / "devices" / name / "vendor").write_text(f"{vendor}\n")
        (tmp_path / "devices" / name / "numa_node").write_text(f"{node}\n")
    (tmp_path / "devices" / "bridge").mkdir()
    unit = load_texts().numa_unit.replace("\\\n", "").replace("$$", "$").replace("\\\\", "\\")
    line = re.search(r"^ExecStart=/bin/sh -c '(.*)'$", unit, re.MULTILINE)
    assert line is not None
    script = line[1].replace("/sys/bus/pci/devices", str(tmp_path / "devices"))
    subprocess.run(["sh", "-c", script], timeout=30, check=True)
    nodes = {name: (tmp_path / "devices" / name / "numa_node").read_text() for name in devices}
    assert nodes == {"gpu": "0\n", "set": "1\n", "nic": "-1\n"}


def test_a_file_is_written_only_when_it_changes(tmp_path: Path) -> None:
    put = 'as_person() { "$@"; }\nperson_files=$HOME\nput "$HOME/a/b" unit.service <<<"$(printf "one\\ntwo")"'
    script = STEPS + put
    for _ in range(2):
        done = run(tmp_path, script)
        assert done.returncode == 0, done.stdout
    home = tmp_path / "home"
    assert (home / "a/b").read_text() == "one\ntwo\n"
    assert (home / "restart/unit.service").exists()
    (home / "restart/unit.service").unlink()
    run(tmp_path, script)
    assert not (home / "restart/unit.service").exists()


def test_what_a_bootstrap_broke_off_from_is_made_good_by_the_next(tmp_path: Path) -> None:
    said = tmp_path / "said"

    def sudo(fails_at: str) -> list[str]:
        """What is done as root, by a sudo that fails at one command."""
        said.write_text("")
        failing = f"[ {fails_at} != $3 ] || exit 1\n" if fails_at else ""
        program(
            tmp_path, "sudo", f'echo "$*" >>{said}\n[ "$2" != tee ] || cat >/dev/null\n{failing}'
        )
        units = {"jupyter_unit": "A=$person", "tensorboard_unit": "B=1", "gate_unit": "C=1"}
        begin = 'as_person() { "$@"; }\nperson=ana\nperson_files=$HOME/.fleet\nagain=\n'
        run(tmp_path, STEPS + begin + part("services", **units).removeprefix(STEPS))
        return [line.removeprefix("-n ") for line in said.read_text().splitlines()]

    units = "fleet-jupyter.service fleet-tensorboard.service fleet-tensorboard-gate.service"
    settled = [f"systemctl enable --quiet {units}", f"systemctl restart {units}"]
    assert sudo("daemon-reload")[-1] == "systemctl daemon-reload"
    assert sudo("enable") == ["systemctl daemon-reload", settled[0]]
    assert sudo("restart") == ["systemctl daemon-reload", *settled]
    assert sudo("") == [settled[1]]
    assert sudo("") == [f"systemctl start {units}"]


def test_a_failed_step_is_told_with_its_own_lines(tmp_path: Path) -> None:
    done = run(tmp_path, STEPS + "begin one\necho before\nbegin two\necho why\nfalse")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-2:] == [
        "@fleet\ttwo\tlog\twhy",
        "@fleet\ttwo\tfailed\texit status 1",
    ]
    assert "before" not in done.stdout


def test_what_was_asked_is_read_as_it_was_written() -> None:
    bootstrap = Bootstrap(packages=("einops",), files=(("./d", "~/d"),), script="./s", sudo=False)
    request = BootstrapRequest(
        bootstrap,
        None,
        ("/a",),
        ("b",),
        script_text="echo 'hi'\n",
        ssh_key="ssh-ed25519 AAAA",
        idle_seconds=3600,
        sync=(("~/work", "s3://team/ana"),),
        bootstrap_id="1",
    )
    assert parse_request(request_text(request)) == request


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"bootstrap": 1}', '{"bootstrap": {"sudo": "x"}}']
)
def test_what_another_version_wrote_is_none(text: str) -> None:
    assert parse_request(text) is None


def test_a_venv_that_a_recipe_has_made_is_a_kernel_of_who_can_read_it(tmp_path: Path) -> None:
    torch = environment(tmp_path / "opt/pytorch", torch="__version__ = '2.9.1'")
    venv = tmp_path / "home/venvs/team"
    team = environment(venv, torch="__version__ = '2.9.1'")
    kernel, found = look(tmp_path, torch)
    assert (kernel, list(found)) == ("fleet-pytorch", ["fleet-pytorch", "fleet-pytorch2"])
    assert found["fleet-pytorch2"] == (f"PyTorch 2.9.1 ({venv})", str(team))
    own_account = BootstrapRequest(
        Bootstrap(sudo=False), "pytorch", (str(torch),), (), "", None, None, (), "1"
    )
    values = {"request": own_account, "probe_program": load_texts().probe}
    told = run(tmp_path, "again=yes\n" + part("interpreters", **values) + "\necho $probed >&3")
    assert str(venv) not in told.stdout

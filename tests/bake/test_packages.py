"""What the program of a manifest finds on environments that were made for it."""

from __future__ import annotations

import json
from pathlib import Path

import packages
from fleet.plan.bake.manifest import parse_manifest


def wheel(prefix: Path, name: str, version: str, *sizes: int) -> None:
    info = prefix / "lib/python3.12/site-packages" / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: no"
    )
    record = "".join(f'"{name}/a,{n}.py",sha256=x,{size}\n' for n, size in enumerate(sizes))
    (info / "RECORD").write_text(f"{record}{name}/RECORD,,\n")


def test_versions_and_sizes_are_those_of_the_metadata(tmp_path: Path) -> None:
    wheel(tmp_path, "torch", "2.9.0", 2048, 1024, 5)
    wheel(tmp_path, "empty", "1")
    old = tmp_path / "lib/python3.12/site-packages/old.egg-info"
    old.write_text("Name: old\nVersion: 0.1\n")
    assert packages.environment(tmp_path) == {
        "torch": ("2.9.0", 3),
        "empty": ("1", 0),
        "old": ("0.1", 0),
    }


def test_conda_s_word_goes_before_pip_s(tmp_path: Path) -> None:
    meta = tmp_path / "conda-meta"
    meta.mkdir()
    paths = {"paths": [{"size_in_bytes": 4096}, {"size_in_bytes": 1024}, {}]}
    told = {"name": "typing_extensions", "version": "4.12", "paths_data": paths}
    (meta / "typing_extensions-4.12-0.json").write_text(json.dumps(told))
    (meta / "history").write_text("")
    (meta / "broken.json").write_text("{")
    (meta / "list.json").write_text("[]")
    wheel(tmp_path, "typing-extensions", "4.12.0", 1)
    wheel(tmp_path, "einops", "0.8", 1)
    assert packages.environment(tmp_path) == {
        "typing_extensions": ("4.12", 5),
        "einops": ("0.8", 0),
    }


def test_environments_are_those_of_the_bootstrap_the_recipes_and_conda(tmp_path: Path) -> None:
    conda = tmp_path / "opt/conda"
    for folder in (
        conda / "conda-meta",
        conda / "envs/science/conda-meta",
        tmp_path / "venvs/team",
    ):
        folder.mkdir(parents=True)
    (tmp_path / ".fleet/jupyter").mkdir(parents=True)
    (tmp_path / ".fleet/jupyter/.fleet-installed").write_text("x")
    rows = f"fleet-pytorch\tPyTorch\t{tmp_path}/opt/pytorch/bin/python\nfleet-x\tX\t{conda}/envs/x/bin/python\n"
    (tmp_path / ".fleet/probed").write_text(rows)
    found = [str(path.relative_to(tmp_path)) for path in packages.prefixes(tmp_path)]
    assert found == [
        "opt/pytorch",
        "opt/conda/envs/x",
        "venvs/team",
        ".fleet/jupyter",
        "opt/conda",
        "opt/conda/envs/science",
    ]


def test_what_it_prints_is_read_as_a_manifest(tmp_path: Path, capsys: object) -> None:
    wheel(tmp_path / "venvs/team", "torch", "2.9.0", 4096)
    release = 'NAME="Ubuntu"\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04.3 LTS"\n'
    assert packages.main({"HOME": str(tmp_path), "RELEASE": release}) == 0
    manifest = parse_manifest(capsys.readouterr().out)  # type: ignore[attr-defined]
    assert manifest.system == "Ubuntu 24.04"
    assert manifest.used_mib > 0
    assert manifest.environments["~/venvs/team"]["torch"].kib == 4


def test_without_a_release_it_is_linux() -> None:
    assert packages.system_of("") == "Linux"
    assert packages.system_of('NAME="Amazon Linux"\nVERSION_ID="2023"\n') == "Amazon Linux 2023"

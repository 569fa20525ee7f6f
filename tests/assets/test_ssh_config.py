"""The user's own ssh_config: one line comes and goes, and nothing else changes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from fleet.assets.ssh_config import has_in, leave_out, take_in
from fleet.errors import FleetError

MINE = "# mine, with accents: é\nHost *\n  ServerAliveInterval 30"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / ".ssh" / "config"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_stands_first_once_and_goes_again(config: Path, tmp_path: Path) -> None:
    config.parent.mkdir()
    config.write_text(MINE)
    config.chmod(0o640)
    included = tmp_path / "with blanks" / "ssh_config"
    for _ in range(2):
        take_in(config, included)
        assert config.read_text() == f'Include "{included}"\n{MINE}'
        assert has_in(config, included)
    assert mode(config) == 0o640
    leave_out(config, included)
    assert config.read_text() == MINE
    assert not has_in(config, included)
    assert [file.name for file in config.parent.iterdir()] == ["config"]


def test_where_there_is_none_it_is_made_private(config: Path, tmp_path: Path) -> None:
    leave_out(config, tmp_path / "a")
    assert not config.exists()
    take_in(config, tmp_path / "a")
    assert (mode(config), mode(config.parent)) == (0o600, 0o700)


def test_a_link_into_dotfiles_stays_one(config: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles"
    real.write_text(MINE)
    config.parent.mkdir()
    config.symlink_to(real)
    take_in(config, tmp_path / "a")
    assert config.is_symlink()
    assert real.read_text().startswith("Include ")


def test_two_fleets_stand_side_by_side(config: Path, tmp_path: Path) -> None:
    take_in(config, tmp_path / "a")
    take_in(config, tmp_path / "b")
    leave_out(config, tmp_path / "a")
    assert config.read_text() == f'Include "{tmp_path / "b"}"\n'


def test_what_cannot_be_changed_is_told(config: Path, tmp_path: Path) -> None:
    config.parent.mkdir()
    config.write_bytes(b"# caf\xe9\n")
    with pytest.raises(FleetError, match=r"cannot be changed \(it is not UTF-8\)"):
        take_in(config, tmp_path / "a")
    assert config.read_bytes() == b"# caf\xe9\n"
    config.unlink()
    config.mkdir()
    with pytest.raises(FleetError, match="Is a directory"):
        take_in(config, tmp_path / "a")

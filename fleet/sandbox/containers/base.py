"""The tree that every container host starts from: Debian with systemd, cloud-init and sshd.

Built once with mmdebstrap (a minute, 340 MB) and kept below /var/cache/fleet, by a digest of what is
asked for here: a changed recipe is built anew. Like an AMI it has no host keys and no machine id.
"""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fleet.errors import SandboxError
from fleet.sandbox.trees import remove_tree

CACHE = Path("/var/cache/fleet")
BUILD_SECONDS = 900.0
SETTING = "FLEET_SANDBOX_DEBIAN"
"""The release of Debian: bookworm (Python 3.11, the default), or a later one for its systemd and its Python."""
PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "udev", "openssh-server", "sudo", "cloud-init"),
    *("ca-certificates", "python3", "python3-venv", "python3-pip", "git", "curl", "rsync"),
    *("iproute2", "procps", "tmux"),
)
_LEFT_OUT = ("man", "doc", "locale", "info")
_MASKED = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "e2scrub_reap.service"),
    *("fstrim.timer", "dpkg-db-backup.timer", "console-getty.service", "getty@.service"),
    *("systemd-networkd-wait-online.service", "systemd-hostnamed.service"),
    # Nobody is there to be asked; and each takes one of the 128 inotify instances that Linux gives to root.
    *("systemd-ask-password-console.path", "systemd-ask-password-wall.path"),
)
_CLOUD = """\
# What the AMI's maker says: the metadata service, the login user of this image (the driver adds it).
datasource_list: [ Ec2, None ]
datasource: {Ec2: {metadata_urls: ["http://169.254.169.254"], max_wait: 120, timeout: 10}}
network: {config: disabled}
# Nothing is plugged in later, and no udevd is there to be told.
updates: {network: {when: [boot-new-instance]}}
ssh_pwauth: false
disable_root: true
apt: {preserve_sources_list: true}
locale: false
"""
_EC2 = "usr/lib/python3/dist-packages/cloudinit/sources/DataSourceEc2.py"
_NO_FIRMWARE = "\nidentify_platform = lambda: CloudNames.AWS  # a container has no AWS firmware\n"
_SSHD = "PasswordAuthentication no\nPermitRootLogin no\n"


def suite() -> str:
    """The release of Debian that is asked for."""
    return os.environ.get(SETTING) or "bookworm"


def tree() -> Path:
    """Where the base of this recipe is, or will be."""
    recipe = inspect.getsource(sys.modules[__name__])
    return CACHE / f"base-{suite()}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def ensure(on_progress: Callable[[str], None]) -> Path:
    """The tree, built where it is not there yet. One at a time builds, others wait for it."""
    target = tree()
    if target.is_dir():
        return target
    CACHE.mkdir(parents=True, exist_ok=True)
    with _alone():
        if target.is_dir():
            return target
        on_progress(f"building the hosts' base tree (once, about a minute): Debian {suite()}")
        _forget_halves()
        draft = CACHE / f"draft-{os.getpid()}"
        try:
            _debootstrap(draft)
            _seal(draft)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        on_progress(f"the base tree is in {target}")
    return target


@contextmanager
def _alone() -> Iterator[None]:
    with (CACHE / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _forget_halves() -> None:
    """What a build left that was killed. Older recipes' trees stay: a sandbox may run on one."""
    for draft in CACHE.glob("draft-*"):
        remove_tree(draft)


def _debootstrap(draft: Path) -> None:
    words = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    words += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _LEFT_OUT]
    words += [suite(), str(draft)]
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(f"the base tree was not built ({error})", remedy=_remedy()) from error
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith(("E:", "Err:"))]
        raise SandboxError(
            f"the base tree was not built: {' / '.join(said[:2]) or done.stderr[-300:].strip()}",
            remedy=_remedy(),
        )


def _remedy() -> str:
    return f"it comes from a Debian mirror: see that `mmdebstrap {suite()} /tmp/try` works"


def _seal(draft: Path) -> None:
    """Make of an installed Debian what an AMI is."""
    for pattern in (
        "etc/ssh/ssh_host_*",
        "var/lib/apt/lists/*",
        "var/cache/apt/*",
        "var/log/*.log",
    ):
        for found in draft.glob(pattern):
            remove_tree(found)
    _place(draft / "etc/machine-id", "")
    # No name server: a query is refused at once. The machine's own would be waited for in vain.
    _place(draft / "etc/resolv.conf", "")
    _place(draft / "etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")
    _place(draft / "etc/ssh/sshd_config.d/50-image.conf", _SSHD)
    _place(draft / "etc/cloud/cloud.cfg.d/90-image.cfg", _CLOUD)
    with (draft / _EC2).open("a") as file:
        file.write(_NO_FIRMWARE)
    for cached in (draft / _EC2).parent.glob("__pycache__/DataSourceEc2.*"):
        cached.unlink()
    for unit in _MASKED:
        link = draft / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    (draft / "var/log/journal").mkdir(exist_ok=True)


def _place(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text)

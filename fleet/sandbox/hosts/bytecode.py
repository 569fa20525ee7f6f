"""Compiles what uv's cache holds, once and in the background: hosts link the files, and start services without it.

Twenty hosts that begin at the same time would compile the same thousand modules twenty times. A `.pyc` names its
source's time and size, and uv links both into every venv, so it holds there too. Sandboxes that share a cache compile
one at a time: the record is locked meanwhile.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from fleet.sandbox.hosts.disk import base_python

_RECORD = "compiled"
# Some packages hold modules of other versions of Python, which do not compile: that is no failure.
_PROGRAM = """
import compileall, fcntl, os, sys
os.nice(19)
with open(sys.argv[1], "a+") as record:
    try:
        fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit()  # another sandbox is at it
    record.seek(0)
    known = record.read().split()
    for archive in sys.argv[2:]:
        if os.path.basename(archive) not in known:
            compileall.compile_dir(archive, quiet=2)
            print(os.path.basename(archive), file=record, flush=True)
"""


def compile_new(cache: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes] | None:
    """Begin to compile the packages that are new in a cache; None where there are none. It ends by itself."""
    record = cache / _RECORD
    known = set(record.read_text().split()) if record.exists() else set()
    archives = (cache / "uv" / "archive-v0").glob("*")
    new = sorted(str(each) for each in archives if each.name not in known)
    if not new:
        return None
    return subprocess.Popen(
        [base_python(), "-IS", "-c", _PROGRAM, str(record), *new],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environment},
        start_new_session=True,
    )

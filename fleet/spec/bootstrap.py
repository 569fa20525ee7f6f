"""What each environment gets: the bootstrap part of a spec."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from fleet.spec.forms import Doc
from fleet.spec.frozen import Frozen, distinct
from fleet.spec.typed import GitUrl, LocalPath, Package, RemotePath, Toggle


class Bootstrap(Frozen):
    """What each environment gets besides Jupyter and TensorBoard.

    `files` holds pairs: a path from the spec's folder, and a path under the environment's home.
    Without `sudo` the person has an account that may not become root.
    """

    packages: Annotated[
        tuple[Package, ...],
        AfterValidator(distinct),
        Doc(
            "Python packages to install, with or without a version.",
            "[einops, lightning==2.5.0]",
            default="none",
        ),
    ] = ()
    git: Annotated[
        tuple[GitUrl, ...],
        AfterValidator(distinct),
        Doc(
            "Repositories to clone into the home.",
            "[https://github.com/karpathy/nanoGPT]",
            default="none",
        ),
    ] = ()
    files: Annotated[
        tuple[tuple[LocalPath, RemotePath], ...],
        Doc(
            "Files and folders to copy: a path from the spec's folder, and a path under the home.",
            "{./data: ~/data}",
            default="none",
        ),
    ] = ()
    script: Annotated[
        LocalPath | None,
        Doc(
            "A script to run at the end, as a path from the spec's folder.",
            "./setup.sh",
            default="none",
        ),
    ] = None
    sudo: Annotated[
        Toggle,
        Doc(
            "Whether the person may become root; if not, Jupyter and the script run as the account `member`.",
            "false",
            default="true",
        ),
    ] = True

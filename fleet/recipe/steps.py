"""What is done on the builder, a model for each kind of step.

Takes values as a person writes them; `kind` is the key that a step begins with in the file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from fleet.recipe.typed import (
    AptPackage,
    Channel,
    Command,
    CondaPackage,
    DnfPackage,
    Environment,
    GitRef,
    Sha256,
    Target,
    TargetBelow,
    Url,
)
from fleet.spec.forms import Doc
from fleet.spec.frozen import AtLeastOne, Frozen, distinct
from fleet.spec.refusal import refuse
from fleet.spec.typed import GitUrl, LocalPath, Package

LONGEST_TITLE = 72

_SOME = AfterValidator(AtLeastOne("name a package", "[git]"))


class AptStep(Frozen):
    """Install packages of Ubuntu."""

    kind: Literal["apt"] = "apt"
    packages: Annotated[
        tuple[AptPackage, ...],
        _SOME,
        Doc("Packages of Ubuntu, with or without a version.", "[git-lfs, htop]"),
    ]

    @property
    def title(self) -> str:
        """The step in one line."""
        return one_line(f"apt: {', '.join(self.packages)}")


class DnfStep(Frozen):
    """Install packages of Amazon Linux."""

    kind: Literal["dnf"] = "dnf"
    packages: Annotated[
        tuple[DnfPackage, ...],
        _SOME,
        Doc("Packages of Amazon Linux, with or without a version.", "[git-lfs, htop]"),
    ]

    @property
    def title(self) -> str:
        """The step in one line."""
        return one_line(f"dnf: {', '.join(self.packages)}")


class PipStep(Frozen):
    """Install Python packages: into the venv `~/venvs/NAME` over the framework's environment, or into that itself."""

    kind: Literal["pip"] = "pip"
    packages: Annotated[
        tuple[Package, ...],
        _SOME,
        Doc("Python packages, with or without a version.", "[einops, lightning==2.5.0]"),
    ]
    venv: Annotated[
        Environment | None,
        Doc(
            "The venv to install into, `~/venvs/NAME`: made where it is not there, over the framework's "
            "environment, whose packages it sees; a Jupyter kernel of this name.",
            "team",
            default="the image's own framework environment",
        ),
    ] = None
    index_url: Annotated[
        Url | None,
        Doc(
            "The package index, if not pip's own.",
            "https://download.pytorch.org/whl/cu128",
            default="pip's own",
        ),
    ] = None

    @property
    def title(self) -> str:
        """The step in one line."""
        return one_line(f"pip{_into(self.venv)}: {', '.join(self.packages)}")


class CondaStep(Frozen):
    """Install conda packages into an environment, which is made where it is not there; None is conda's base."""

    kind: Literal["conda"] = "conda"
    packages: Annotated[
        tuple[CondaPackage, ...],
        _SOME,
        Doc("conda packages, with or without channel and version.", '["numpy=2.2", ffmpeg]'),
    ]
    env: Annotated[
        Environment | None,
        Doc(
            "The environment to install into, made where it is not there.",
            "media",
            default="conda's base",
        ),
    ] = None
    channels: Annotated[
        tuple[Channel, ...],
        AfterValidator(distinct),
        Doc("Channels to look in, in this order.", "[conda-forge]", default="conda's own"),
    ] = ()

    @property
    def title(self) -> str:
        """The step in one line."""
        return one_line(f"conda{_into(self.env)}: {', '.join(self.packages)}")


class GitStep(Frozen):
    """Clone a repository: to a path on the builder, or under the home by its own name; at a branch, tag or commit."""

    kind: Literal["git"] = "git"
    url: Annotated[GitUrl, Doc("A repository to clone.", "https://github.com/karpathy/nanoGPT")]
    to: Annotated[
        TargetBelow | None,
        Doc(
            "Where to clone it: a path under the home, or an absolute one.",
            "~/nanoGPT",
            default="under the home, by the repository's name",
        ),
    ] = None
    ref: Annotated[
        GitRef | None,
        Doc("A branch, tag or commit.", "main", default="the repository's default branch"),
    ] = None

    @property
    def title(self) -> str:
        """The step in one line."""
        at = f" at {self.ref}" if self.ref else ""
        return one_line(f"git: {self.url}{at}")


class FilesStep(Frozen):
    """Copy files and folders: pairs of a path from the recipe's folder, and a path under the home or absolute."""

    kind: Literal["files"] = "files"
    files: Annotated[
        tuple[tuple[LocalPath, Target], ...],
        Doc(
            "Files and folders to copy: a path from the recipe's folder, and a path under the home or an absolute "
            "one, which belongs to root.",
            "{./data: ~/data, ./motd: /etc/motd}",
        ),
    ]

    @field_validator("files")
    @classmethod
    def _some(cls, files: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        if not files:
            raise refuse("is an empty map", "name a file, such as {./data: ~/data}")
        return files

    @property
    def title(self) -> str:
        """The step in one line."""
        return one_line(f"files: {', '.join(to for _, to in self.files)}")


class ScriptStep(Frozen):
    """Run a script, which is a path from the recipe's folder."""

    kind: Literal["script"] = "script"
    script: Annotated[
        LocalPath,
        Doc("A script to run with bash, as a path from the recipe's folder.", "./setup.sh"),
    ]

    @property
    def title(self) -> str:
        """The step in one line."""
        return one_line(f"script: {self.script}")


class RunStep(Frozen):
    """Run shell text."""

    kind: Literal["run"] = "run"
    run: Annotated[
        Command,
        Doc("Shell text to run with bash; `sudo` needs no password.", "git lfs install"),
    ]

    @property
    def title(self) -> str:
        """The step in one line."""
        return one_line(f"run: {first_line(self.run)}")


class DownloadStep(Frozen):
    """Download a file, of which the SHA-256 must be right."""

    kind: Literal["download"] = "download"
    url: Annotated[Url, Doc("A file to download, over https.", "https://example.org/weights.bin")]
    sha256: Annotated[
        Sha256,
        Doc(
            "The SHA-256 that the file must have.",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
    ]
    to: Annotated[
        TargetBelow,
        Doc(
            "Where to put it: a path with the file's name, under the home or absolute.",
            "~/weights.bin",
        ),
    ]

    @property
    def title(self) -> str:
        """The step in one line."""
        return one_line(f"download: {self.to}")


Step = Annotated[
    AptStep
    | DnfStep
    | PipStep
    | CondaStep
    | GitStep
    | FilesStep
    | ScriptStep
    | RunStep
    | DownloadStep,
    Field(discriminator="kind"),
]


def one_line(text: str) -> str:
    """A title as a terminal shows it: one line, not too long."""
    return text if len(text) <= LONGEST_TITLE else f"{text[: LONGEST_TITLE - 1]}…"


def first_line(text: str) -> str:
    """The first line of shell text that is no comment."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("#")), lines[0])


def _into(environment: str | None) -> str:
    return f" in {environment}" if environment else ""

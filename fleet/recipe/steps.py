"""What is done on the builder, a model for each kind of step.

Takes values as a person writes them; `kind` is the key that a step begins with in the file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from fleet.recipe import rules as of
from fleet.spec import rules
from fleet.spec.frozen import Frozen, at_least_one, distinct
from fleet.spec.refusal import refuse

LONGEST_TITLE = 72

Environment = Annotated[str, AfterValidator(of.environment)]
Target = Annotated[str, AfterValidator(of.target_below)]
Url = Annotated[str, AfterValidator(of.https_url)]
_SOME = AfterValidator(at_least_one("name a package", "[git]"))


class AptStep(Frozen):
    """Install packages of Ubuntu."""

    kind: Literal["apt"] = "apt"
    packages: Annotated[tuple[Annotated[str, AfterValidator(of.apt_package)], ...], _SOME]

    @property
    def title(self) -> str:
        """The step in one line."""
        return one_line(f"apt: {', '.join(self.packages)}")


class DnfStep(Frozen):
    """Install packages of Amazon Linux."""

    kind: Literal["dnf"] = "dnf"
    packages: Annotated[tuple[Annotated[str, AfterValidator(of.dnf_package)], ...], _SOME]

    @property
    def title(self) -> str:
        """The step in one line."""
        return one_line(f"dnf: {', '.join(self.packages)}")


class PipStep(Frozen):
    """Install Python packages: into the venv `~/venvs/NAME` over the framework's environment, or into that itself."""

    kind: Literal["pip"] = "pip"
    packages: Annotated[tuple[Annotated[str, AfterValidator(rules.package)], ...], _SOME]
    venv: Environment | None = None
    index_url: Url | None = None

    @property
    def title(self) -> str:
        """The step in one line."""
        return one_line(f"pip{_into(self.venv)}: {', '.join(self.packages)}")


class CondaStep(Frozen):
    """Install conda packages into an environment, which is made where it is not there; None is conda's base."""

    kind: Literal["conda"] = "conda"
    packages: Annotated[tuple[Annotated[str, AfterValidator(of.conda_package)], ...], _SOME]
    env: Environment | None = None
    channels: Annotated[
        tuple[Annotated[str, AfterValidator(of.channel)], ...], AfterValidator(distinct)
    ] = ()

    @property
    def title(self) -> str:
        """The step in one line."""
        return one_line(f"conda{_into(self.env)}: {', '.join(self.packages)}")


class GitStep(Frozen):
    """Clone a repository: to a path on the builder, or under the home by its own name; at a branch, tag or commit."""

    kind: Literal["git"] = "git"
    url: Annotated[str, AfterValidator(rules.git_url)]
    to: Target | None = None
    ref: Annotated[str, AfterValidator(of.git_ref)] | None = None

    @property
    def title(self) -> str:
        """The step in one line."""
        at = f" at {self.ref}" if self.ref else ""
        return one_line(f"git: {self.url}{at}")


class FilesStep(Frozen):
    """Copy files and folders: pairs of a path from the recipe's folder, and a path under the home or absolute."""

    kind: Literal["files"] = "files"
    files: tuple[
        tuple[
            Annotated[str, AfterValidator(rules.local_path)],
            Annotated[str, AfterValidator(of.target)],
        ],
        ...,
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
    script: Annotated[str, AfterValidator(rules.local_path)]

    @property
    def title(self) -> str:
        """The step in one line."""
        return one_line(f"script: {self.script}")


class RunStep(Frozen):
    """Run shell text."""

    kind: Literal["run"] = "run"
    run: Annotated[str, AfterValidator(of.command)]

    @property
    def title(self) -> str:
        """The step in one line."""
        return one_line(f"run: {first_line(self.run)}")


class DownloadStep(Frozen):
    """Download a file, of which the SHA-256 must be right."""

    kind: Literal["download"] = "download"
    url: Url
    sha256: Annotated[str, AfterValidator(of.sha256)]
    to: Target

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

"""What an image has to prove, on the builder and on the first instance made from it: a model for each kind of test.

`kind` is the key that a test begins with in the file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from fleet.recipe.steps import first_line, one_line
from fleet.recipe.typed import Command, Environment, Expected, Notebook, PythonModule
from fleet.spec.forms import Doc
from fleet.spec.frozen import AtLeastOne, Frozen
from fleet.spec.refusal import refuse
from fleet.spec.typed import Toggle


class RunTest(Frozen):
    """A command that must succeed, and whose output must have `expect` in it; in a venv where one is named."""

    kind: Literal["run"] = "run"
    run: Annotated[Command, Doc("Shell text that must succeed.", "git lfs version")]
    expect: Annotated[
        Expected | None,
        Doc("A text that its output must have in it.", "git-lfs/3", default="any output"),
    ] = None
    venv: Annotated[Environment | None, Doc("The venv to run it in.", "team", default="none")] = (
        None
    )

    @property
    def title(self) -> str:
        """The test in one line."""
        return one_line(f"run: {first_line(self.run)}")


class ImportTest(Frozen):
    """Python modules that must be importable: in a venv, or in the image's framework environment."""

    kind: Literal["import"] = "import"
    modules: Annotated[
        tuple[PythonModule, ...],
        AfterValidator(AtLeastOne("name a module", "[torch]")),
        Doc("Python modules that must be importable.", "[torch, einops]"),
    ]
    venv: Annotated[
        Environment | None,
        Doc(
            "The venv to import them in.",
            "team",
            default="the image's own framework environment",
        ),
    ] = None

    @property
    def title(self) -> str:
        """The test in one line."""
        place = f" in {self.venv}" if self.venv else ""
        return one_line(f"import{place}: {', '.join(self.modules)}")


class GpuTest(Frozen):
    """The driver must list as many GPUs as the instance type has."""

    kind: Literal["gpu"] = "gpu"
    gpu: Annotated[
        Toggle,
        Doc("The driver must list as many GPUs as the instance type has.", "true"),
    ] = True

    @field_validator("gpu")
    @classmethod
    def _asked_for(cls, value: bool) -> bool:  # noqa: FBT001 - pydantic calls it by position
        if not value:
            raise refuse("is false, which tests nothing", "write gpu: true, or remove the test")
        return value

    @property
    def title(self) -> str:
        """The test in one line."""
        return "gpu"


class NotebookTest(Frozen):
    """A notebook from the recipe's folder of which every cell must run."""

    kind: Literal["notebook"] = "notebook"
    notebook: Annotated[
        Notebook,
        Doc(
            "A notebook every cell of which must run, as a path from the recipe's folder.",
            "./first-steps.ipynb",
        ),
    ]

    @property
    def title(self) -> str:
        """The test in one line."""
        return one_line(f"notebook: {self.notebook}")


Test = Annotated[RunTest | ImportTest | GpuTest | NotebookTest, Field(discriminator="kind")]

"""What an image has to prove, on the builder and on the first instance made from it: a model for each kind of test.

`kind` is the key that a test begins with in the file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from fleet.recipe import rules as of
from fleet.recipe.steps import Environment, first_line, one_line
from fleet.spec.frozen import Frozen, at_least_one
from fleet.spec.refusal import refuse
from fleet.spec.values import parse_switch


class RunTest(Frozen):
    """A command that must succeed, and whose output must have `expect` in it; in a venv where one is named."""

    kind: Literal["run"] = "run"
    run: Annotated[str, AfterValidator(of.command)]
    expect: Annotated[str, AfterValidator(of.expected)] | None = None
    venv: Environment | None = None

    @property
    def title(self) -> str:
        """The test in one line."""
        return one_line(f"run: {first_line(self.run)}")


class ImportTest(Frozen):
    """Python modules that must be importable: in a venv, or in the image's framework environment."""

    kind: Literal["import"] = "import"
    modules: Annotated[
        tuple[Annotated[str, AfterValidator(of.module)], ...],
        AfterValidator(at_least_one("name a module", "[torch]")),
    ]
    venv: Environment | None = None

    @property
    def title(self) -> str:
        """The test in one line."""
        place = f" in {self.venv}" if self.venv else ""
        return one_line(f"import{place}: {', '.join(self.modules)}")


class GpuTest(Frozen):
    """The driver must list as many GPUs as the instance type has."""

    kind: Literal["gpu"] = "gpu"
    gpu: Annotated[bool, BeforeValidator(parse_switch)] = True

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
    notebook: Annotated[str, AfterValidator(of.notebook)]

    @property
    def title(self) -> str:
        """The test in one line."""
        return one_line(f"notebook: {self.notebook}")


Test = Annotated[RunTest | ImportTest | GpuTest | NotebookTest, Field(discriminator="kind")]

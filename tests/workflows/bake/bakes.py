"""Bakes over a cloud without hosts: everything that AWS is asked, and nobody at the end of an SSH connection."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fleet.aws.own_images import describe_recipe_images
from fleet.plan.bake.manifest import Manifest, parse_manifest
from fleet.plan.bake.plan import BakePlan
from fleet.plan.bake.report import BakeReport
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.facts.images import ImageFact
from fleet.plan.launch.plan import Plan
from fleet.recipe.files import RecipeFiles
from fleet.recipe.load import load_recipe
from fleet.recipe.model import Recipe
from fleet.workflows.bake.apply import apply_bake
from fleet.workflows.bake.environment import BakeEnvironment, OpenBakeEnvironment, one_live
from fleet.workflows.bake.host import Finding, TestResult
from fleet.workflows.bake.prepare import prepare_bake
from fleet.workflows.context import Context
from fleet.workflows.launch.up import apply_up
from fleet.workflows.record.lease import HeldLease
from tests.workflows import runs

NO_FILES = RecipeFiles(b"", "")
_MANIFEST = '{"system": "Ubuntu 24.04", "used_mib": 1, "apt": {}, "rpm": {}, "environments": {}}'


def recipe_text(*, step: str = "true", name: str = "team", ami: str = "{keep: 1}") -> str:
    """A recipe as a person writes it; another step is another content."""
    return f"""
name: {name}
image: {{framework: pytorch, os: ubuntu-24.04}}
builder: {{instances: {{types: [g5.xlarge]}}}}
steps:
  - run: "{step}"
tests:
  - run: "true"
ami: {ami}
"""


def read_recipe(text: str) -> Recipe:
    """Read it as the command does."""
    return load_recipe(text.encode(), file="recipe.yaml", exists=lambda _: True)


@dataclass
class Bare:
    """A bench that does nothing, and finds what it is told to."""

    instance: InstanceFact
    passes: bool = True
    findings: tuple[Finding, ...] = ()
    taken: int = 0

    def take_steps(self, plan: BakePlan, *, until: float) -> None:
        self.taken += 1

    def run_tests(self, plan: BakePlan, *, until: float) -> tuple[TestResult, ...]:
        return tuple(
            TestResult(test.title, self.passes, ("nothing",)) for test in plan.recipe.tests
        )

    def scan(self, *, sanitised: bool, until: float) -> tuple[Finding, ...]:
        return self.findings

    def sanitise(self, *, until: float) -> None:
        pass

    def collect_manifest(self, *, until: float) -> Manifest:
        return parse_manifest(_MANIFEST)


@dataclass
class Bares:
    """Opens benches without a host. `refuses` are the fleets whose tests fail."""

    refuses: str = ""
    findings: tuple[Finding, ...] = ()

    @contextmanager
    def __call__(
        self, context: Context, plan: Plan, *, held: HeldLease | None = None
    ) -> Iterator[BakeEnvironment]:
        apply_up(context, plan, held=held)
        refused = bool(self.refuses) and plan.fleet.startswith(self.refuses)
        yield Bare(one_live(context, plan.fleet), not refused, self.findings)


def bake_with(
    context: Context, text: str, *, opener: OpenBakeEnvironment | None = None, anew: bool = False
) -> BakeReport:
    """Plan and bake."""
    plan = prepare_bake(context, read_recipe(text), NO_FILES, anew=anew)
    return apply_bake(context, plan, opener=opener or Bares())


def bake(url: str, cache: str, text: str) -> None:
    """Plan and bake, in a process of its own."""
    os.environ["AWS_ENDPOINT_URL"] = url
    bake_with(runs.context_over(url, Path(cache), session=runs.warm_session()), text)


def images(context: Context, recipe: str = "team") -> tuple[ImageFact, ...]:
    """The recipe's images, the newest first."""
    found = describe_recipe_images(context.aws, recipe=recipe)
    return tuple(sorted(found, key=lambda image: image.created_at, reverse=True))

"""What good recipes mean, field by field: NAME.yaml and what differs from the defaults in NAME.json."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from fleet.recipe.model import (
    AptStep,
    Builder,
    DnfStep,
    FilesStep,
    GitStep,
    Output,
    PipStep,
    Recipe,
    RunStep,
    ScriptStep,
)
from fleet.spec.access import Access
from fleet.spec.model import ImageSelector, Instances, Volume
from tests.recipe.cases import AMIS, EXAMPLES, HERE, PLAIN, load, load_text

GOOD = sorted((HERE / "good").glob("*.yaml"))
AT = datetime(2026, 11, 21, 9, 5, 7, tzinfo=UTC)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_recipe_means_what_is_expected(path: Path) -> None:
    recipe = load(path)
    told = recipe.model_dump(mode="json", exclude_defaults=True)
    told["titles"] = [each.title for each in (*recipe.steps, *recipe.tests)]
    assert told == json.loads(path.with_suffix(".json").read_text())


def test_the_defaults() -> None:
    assert load_text(PLAIN) == Recipe(
        name="pytorch-team",
        description="",
        region=None,
        image=ImageSelector(framework="pytorch"),
        builder=Builder(
            instances=Instances(types=("g5.xlarge",)),
            volume=Volume(size_gib=100),
            access=Access(sources=("me",)),
            expires=timedelta(hours=4),
        ),
        steps=(),
        tests=(),
        output=Output(
            name="{recipe}-{date}-{time}-{digest}",
            copy_to=(),
            share_with=(),
            kms_key=None,
            deprecate_after=None,
            keep=None,
        ),
    )


def test_every_recipe_that_ships_is_an_example_and_loads() -> None:
    recipes = [path for path in AMIS.glob("*.yaml") if "\nbuilder:" in path.read_text()]
    assert sorted(recipes) == sorted(EXAMPLES)
    for path in EXAMPLES:
        recipe = load(path)
        assert recipe.name == path.stem
        assert recipe.tests
        assert f"amis/{path.name}" in path.read_text()


def test_the_images_name_is_filled_from_the_pattern() -> None:
    recipe = load_text(PLAIN)
    assert recipe.image_name(made_at=AT, digest="0123456789ab") == (
        "pytorch-team-20261121-090507-0123456789ab"
    )
    timed = load_text(PLAIN + 'ami: {name: "{recipe}-{date}{time} {recipe}"}\n')
    assert timed.image_name(made_at=AT, digest="x") == "pytorch-team-20261121090507 pytorch-team"


def test_the_digest_is_over_what_is_in_the_image() -> None:
    plain = load_text(PLAIN).digest()
    assert len(plain) == 12
    same = [
        PLAIN + "ami: {keep: 3, copy_to: [eu-west-1], deprecate_after: 9d}\n",
        PLAIN + 'ami: {name: "{recipe}-{time}"}\n',
        PLAIN + "region: us-east-1\ndescription: ours\n",
        PLAIN.replace("xlarge]}", "xlarge], market: spot, max_price: 1}, expires: 9h"),
        PLAIN.replace("}}", "}, volume: 100GiB}"),
    ]
    assert {load_text(text).digest() for text in same} == {plain}
    keyed = PLAIN + "ami: {kms_key: alias/team}\n"
    shared = PLAIN + 'ami: {kms_key: alias/team, share_with: ["123456789012"]}\n'
    assert load_text(shared).digest() == load_text(keyed).digest()
    other = [
        PLAIN.replace("pytorch-team", "team"),
        PLAIN.replace("framework: pytorch", "framework: tensorflow"),
        PLAIN.replace("g5.", "g6."),
        PLAIN.replace("}}", "}, volume: 101GiB}"),
        PLAIN + "ami: {kms_key: alias/team}\n",
        PLAIN + "steps: [{apt: [git]}]\n",
        PLAIN + "steps: [{dnf: [git]}]\n",
        PLAIN + "steps: [{pip: [git]}]\n",
        PLAIN + "steps: [{pip: [git], venv: team}]\n",
        PLAIN + "tests: [{gpu: true}]\n",
    ]
    assert len({load_text(text).digest() for text in other} | {plain}) == len(other) + 1


def test_the_digest_is_the_same_in_every_release() -> None:
    """It stands in the tags of images: a change here makes them all look changed."""
    assert load_text(PLAIN).digest() == "4ee01a477ae2"
    assert load(HERE / "good" / "all-keys.yaml").digest() == "3bb5088aca65"


def test_a_title_is_one_line() -> None:
    titles = [
        RunStep(run="# why\n\n  make -C /opt all\nmake install\n").title,
        RunStep(run="# only a comment").title,
        PipStep(packages=tuple(f"package{index}" for index in range(40))).title,
        AptStep(packages=("git",)).title,
        DnfStep(packages=("git",)).title,
        ScriptStep(script="./setup.sh").title,
        GitStep(url="https://github.com/karpathy/nanoGPT").title,
    ]
    assert titles[0] == "run: make -C /opt all"
    assert all(title.isprintable() and len(title) <= 72 for title in titles)


def test_places_are_given_back_without_a_slash_at_the_end() -> None:
    assert FilesStep(files=(("./data", "~/data/"), ("./etc", "/opt/etc/"))).files == (
        ("./data", "~/data"),
        ("./etc", "/opt/etc"),
    )


def test_models_are_frozen_and_closed() -> None:
    recipe = load_text(PLAIN)
    with pytest.raises(ValidationError):
        recipe.name = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Output.model_validate({"regions": ["eu-west-1"]})


def test_python_callers_meet_the_same_rules() -> None:
    with pytest.raises(ValidationError, match="add venv: team"):
        Recipe(
            name="ours",
            image=ImageSelector(framework="base"),
            builder=Builder(instances=Instances(types=("g5.xlarge",))),
            steps=(PipStep(packages=("einops",)),),
        )
    with pytest.raises(ValidationError, match="write it like ~/x"):
        GitStep(url="https://github.com/karpathy/nanoGPT", to="x")

"""What a bake decides without asking anybody: where it goes on, which image is its, what a scan may find."""

from __future__ import annotations

import pytest

from fleet.plan.bake.plan import objections
from fleet.plan.bake.scripts import Finding
from tests.workflows.bake.bakes import read_recipe, recipe_text


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("/opt/vendor/key.pem", {"/opt/vendor/key.pem"}),
        ("/opt/vendor/*", {"/opt/vendor/key.pem", "/opt/vendor/a/b.env"}),
        ("~/lab/*.env", {"/home/ubuntu/lab/one.env", "/root/lab/two.env"}),
        ("~/lab/?ne.env", {"/home/ubuntu/lab/one.env"}),
        ("/opt/vendor", set()),
    ],
)
def test_what_a_recipe_allows_is_no_objection(pattern: str, allowed: set[str]) -> None:
    paths = (
        "/opt/vendor/key.pem",
        "/opt/vendor/a/b.env",
        "/home/ubuntu/lab/one.env",
        "/root/lab/two.env",
        "/etc/lab/one.env",
    )
    found = [Finding(path, 1, "a private key") for path in paths]
    recipe = read_recipe(recipe_text() + f'scan: {{allow: ["{pattern}"]}}')
    assert {*paths} - {one.path for one in objections(recipe, found)} == allowed

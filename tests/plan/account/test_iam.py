"""The policy from what effects declare: narrow resources, conditions on our tags, IAM's size."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleet.cli.account.iam import policy_document
from fleet.errors import UsageError
from fleet.plan.account.iam import CREATE_TAGS, MOST_CHARACTERS, Declared, least_policy

OURS = {
    "StringLike": {
        "aws:ResourceTag/fleet:name": "*",
        "aws:ResourceTag/fleet:managed-by": "dl-fleet",
    },
}


def statements(*declared: Declared) -> dict[str, Any]:
    document: Any = least_policy(declared)
    assert document["Version"] == "2012-10-17"
    found = {statement["Sid"]: statement for statement in document["Statement"]}
    assert len(found) == len(document["Statement"]), "a Sid stands once"
    return found


def test_a_read_is_allowed_everywhere_and_nothing_else_is() -> None:
    found = statements(("ec2:DescribeInstances",))
    assert list(found) == ["Read"]
    assert found["Read"]["Action"] == ["ec2:DescribeInstances"]
    assert found["Read"]["Resource"] == "*"


@pytest.mark.parametrize(
    "action",
    ["ec2:TerminateInstances", "ec2:DeleteVolume", "ec2:DeleteKeyPair", "ec2:StartInstances"],
)
def test_what_exists_is_changed_only_with_our_tags(action: str) -> None:
    (statement,) = statements((action,)).values()
    assert statement["Condition"] == OURS


def test_what_is_made_carries_our_tags_from_the_creating_call_on() -> None:
    found = statements(("ec2:CreateSecurityGroup", CREATE_TAGS))
    made = found["MakeTagged"]
    assert made["Action"] == ["ec2:CreateSecurityGroup"]
    assert "arn:aws:ec2:*:*:security-group/*" in made["Resource"]
    assert "aws:RequestTag/fleet:name" in made["Condition"]["StringLike"]
    tagging = found["TagWhatIsMade"]
    assert tagging["Condition"]["StringEquals"]["ec2:CreateAction"] == ["CreateSecurityGroup"]
    assert "TagOurs" not in found, "an existing thing may not be made ours"


def test_what_exists_is_tagged_only_where_it_is_ours() -> None:
    found = statements((CREATE_TAGS,))
    assert list(found) == ["TagOurs"]
    assert found["TagOurs"]["Condition"] == OURS


def test_instances_are_launched_from_our_templates_with_our_tags() -> None:
    found = statements(("ec2:CreateFleet", "ec2:RunInstances", CREATE_TAGS))
    assert found["LaunchFromOurTemplate"]["Condition"] == OURS
    assert "arn:aws:ec2:*:*:instance/*" in found["MakeTagged"]["Resource"]
    assert not any("instance/" in name for name in found["Launch"]["Resource"])
    assert found["LaunchByFleet"]["Action"] == ["ec2:CreateFleet"]


def test_images_are_made_of_our_instances_and_with_our_mark() -> None:
    found = statements(("ec2:CreateImage", CREATE_TAGS))
    assert found["ChangeOurs"] == {**found["ChangeOurs"], "Condition": OURS}
    made = found["ImagesTagged"]
    assert made["Resource"] == ["arn:aws:ec2:*::image/*", "arn:aws:ec2:*::snapshot/*"]
    assert made["Condition"] == {"StringLike": {"aws:RequestTag/fleet:managed-by": "dl-fleet"}}
    tagging = found["TagImagesMade"]["Condition"]
    assert tagging == {
        **made["Condition"],
        "StringEquals": {"ec2:CreateAction": ["CreateImage"]},
    }


@pytest.mark.parametrize(
    "action", ["ec2:DeregisterImage", "ec2:ModifyImageAttribute", "ec2:EnableImageDeprecation"]
)
def test_images_are_changed_only_with_our_mark(action: str) -> None:
    (statement,) = statements((action,)).values()
    assert statement["Condition"] == {
        "StringEquals": {"aws:ResourceTag/fleet:managed-by": "dl-fleet"}
    }
    assert statement["Resource"] == ["arn:aws:ec2:*::image/*", "arn:aws:ec2:*::snapshot/*"]


def test_only_who_makes_images_tags_them_and_keeps_what_is_in_them() -> None:
    effects: list[Declared] = [(CREATE_TAGS,), ("ssm:PutParameter",)]
    without = statements(*effects)
    assert set(without) == {"TagOurs", "Parameters"}
    baking = statements(*effects, ("ec2:CopyImage", CREATE_TAGS))
    assert CREATE_TAGS in baking["ChangeOurImages"]["Action"]
    assert baking["Parameters"]["Resource"] == [
        "arn:aws:ssm:*:*:parameter/fleet/*",
        "arn:aws:ssm:*:*:parameter/fleet-images/*",
    ]


def test_parameters_are_the_fleets_and_those_that_aws_publishes() -> None:
    found = statements(("ssm:PutParameter", "ssm:GetParameters"))
    resources = {statement["Resource"] for statement in found.values()}
    assert resources == {
        "arn:aws:ssm:*:*:parameter/fleet/*",
        "arn:aws:ssm:*:*:parameter/aws/service/*",
    }


def test_the_only_role_that_may_be_made_is_spots() -> None:
    (statement,) = statements(("iam:CreateServiceLinkedRole",)).values()
    assert statement["Condition"] == {
        "StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"},
    }


def test_an_action_whose_reach_nobody_has_said_is_not_guessed() -> None:
    with pytest.raises(ValueError, match=r"fleet/plan/account/iam\.py how far ec2:CreateVpc"):
        least_policy([("ec2:CreateVpc",)])


def test_no_policy_for_what_calls_nothing() -> None:
    with pytest.raises(UsageError, match="calls nothing of AWS"):
        least_policy([])


def test_all_of_it_fits_a_managed_policy(whole_policy: dict[str, Any]) -> None:
    size = len(json.dumps(whole_policy, separators=(",", ":")))
    assert size <= MOST_CHARACTERS


def test_nothing_that_changes_something_is_allowed_without_bounds(
    whole_policy: dict[str, Any],
) -> None:
    for statement in whole_policy["Statement"]:
        if statement["Resource"] == "*" and "Condition" not in statement:
            for action in statement["Action"]:
                verb = action.partition(":")[2]
                assert verb.startswith(("Describe", "Get", "List", "Decode")), action


@pytest.fixture
def whole_policy() -> dict[str, Any]:
    return policy_document(None)

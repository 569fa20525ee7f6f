"""The least IAM policy. Takes what effects declare; gives statements as narrow as AWS can check them.

Which action knows which resource types and condition keys: Service Authorization Reference, "Actions, resources, and
condition keys" for Amazon EC2, Systems Manager, Service Quotas, KMS and IAM, read as of 2026-02-01
(docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html and its neighbours). Why it is so:
docs/iam.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from fleet.errors import UsageError
from fleet.plan import tags

Declared = tuple[str, ...]
"""The IAM actions of one effect."""
Conditions = Mapping[str, Mapping[str, str | list[str]]]

MOST_CHARACTERS = 6144
"""IAM's limit for a managed policy, white space not counted."""

CREATE_TAGS = "ec2:CreateTags"


_OF_NO_ACCOUNT = ("image", "snapshot")
"""They have no account in their ARNs."""


def _ec2(*types: str) -> tuple[str, ...]:
    return tuple(
        f"arn:aws:ec2:*:{'' if name in _OF_NO_ACCOUNT else '*'}:{name}/*" for name in types
    )


def _marked(key: str) -> Conditions:
    """What carries our tags (`…ResourceTag`), or is given them by the very call that makes it (`aws:RequestTag`)."""
    return {"StringLike": {f"{key}/{tags.FLEET}": "*", f"{key}/{tags.MANAGED_BY}": tags.MAKER}}


@dataclass(frozen=True)
class _Scope:
    """One statement: it holds those of `actions` that are declared."""

    sid: str
    actions: frozenset[str]
    resources: tuple[str, ...] = ("*",)
    conditions: Conditions = field(default_factory=dict)


_MADE_BY = {
    "ec2:CreateFleet": ("fleet",),
    "ec2:RunInstances": ("instance", "volume", "network-interface"),
    "ec2:CreateSecurityGroup": ("security-group",),
    "ec2:CreateLaunchTemplate": ("launch-template",),
    "ec2:ImportKeyPair": ("key-pair",),
    "ec2:CreateImage": _OF_NO_ACCOUNT,
    "ec2:CopyImage": _OF_NO_ACCOUNT,
}
"""What each creating call tags. An instant fleet's instances are tagged by the launch template, within RunInstances."""

_LAUNCH = frozenset({"ec2:CreateFleet", "ec2:RunInstances"})
_IMAGES = frozenset({"ec2:CreateImage", "ec2:CopyImage"})
_MARK = {"StringLike": {f"aws:RequestTag/{tags.MANAGED_BY}": tags.MAKER}}
"""A baked image is a recipe's, and of no fleet: it carries our mark alone."""
_MAKE = frozenset(_MADE_BY) - _IMAGES


def _made_by(calls: Collection[str]) -> list[str]:
    return list(dict.fromkeys(n for call in _MADE_BY if call in calls for n in _MADE_BY[call]))


_CHANGE_IMAGES = frozenset(
    {
        "ec2:CopyImage",  # what it copies from
        "ec2:DeleteSnapshot",
        "ec2:DeregisterImage",
        "ec2:DescribeImageAttribute",
        "ec2:DisableImageDeprecation",
        "ec2:EnableImageDeprecation",
        "ec2:ModifyImageAttribute",
    }
)
_PARAMETERS = frozenset(
    {"ssm:AddTagsToResource", "ssm:DeleteParameters", "ssm:GetParametersByPath", "ssm:PutParameter"}
)
_KEYS = ("arn:aws:kms:*:*:key/*",)

_SCOPES = (
    # No resource-level permission exists for these: AWS takes `*` alone.
    _Scope(
        "Read",
        frozenset(
            {
                "ec2:DescribeImages",
                "ec2:DescribeInstanceTypeOfferings",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeInstances",
                "ec2:DescribeKeyPairs",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:DescribeLaunchTemplates",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeRegions",
                "ec2:DescribeRouteTables",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSnapshots",
                "ec2:DescribeSpotInstanceRequests",
                "ec2:DescribeSpotPriceHistory",
                "ec2:DescribeSubnets",
                "ec2:DescribeVolumes",
                "ec2:GetSpotPlacementScores",
                "pricing:GetProducts",
                "servicequotas:GetAWSDefaultServiceQuota",
                "servicequotas:GetServiceQuota",
                "servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota",
                "ssm:DescribeParameters",
                "sts:DecodeAuthorizationMessage",
                "sts:GetCallerIdentity",
            }
        ),
    ),
    _Scope(
        "Launch",
        _LAUNCH,
        (
            *_ec2(*_OF_NO_ACCOUNT),
            *_ec2("subnet", "security-group", "key-pair", "spot-instances-request"),
        ),
    ),
    _Scope("LaunchFromOurTemplate", _LAUNCH, _ec2("launch-template"), _marked("aws:ResourceTag")),
    # The fleet request's own tags are not its instances': those are checked where RunInstances makes them.
    _Scope("LaunchByFleet", frozenset({"ec2:CreateFleet"}), _ec2("instance", "volume")),
    _Scope("MakeTagged", _MAKE, _ec2(*_made_by(_MAKE)), _marked("aws:RequestTag")),
    _Scope("CreateSecurityGroupInVpc", frozenset({"ec2:CreateSecurityGroup"}), _ec2("vpc")),
    _Scope(
        "ChangeOurs",
        frozenset(
            {
                "ec2:AuthorizeSecurityGroupIngress",
                "ec2:CreateImage",  # of an instance
                "ec2:CreateLaunchTemplateVersion",
                "ec2:DeleteKeyPair",
                "ec2:DeleteLaunchTemplate",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteSecurityGroup",
                "ec2:DeleteVolume",
                "ec2:GetConsoleOutput",
                "ec2:ModifyInstanceAttribute",
                "ec2:RevokeSecurityGroupIngress",
                "ec2:StartInstances",
                "ec2:StopInstances",
                "ec2:TerminateInstances",
                "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
            }
        ),
        conditions=_marked("aws:ResourceTag"),
    ),
    _Scope("ImagesTagged", _IMAGES, _ec2(*_OF_NO_ACCOUNT), _MARK),
    # The requests of an instant fleet carry no tags of ours.
    _Scope(
        "CancelSpotRequests",
        frozenset({"ec2:CancelSpotInstanceRequests"}),
        _ec2("spot-instances-request"),
    ),
    _Scope(
        "SshSessions",
        frozenset({"ssm:StartSession"}),
        _ec2("instance"),
        _marked("ssm:resourceTag"),
    ),
    _Scope(
        "SshSessionDocument",
        frozenset({"ssm:StartSession"}),
        ("arn:aws:ssm:*:*:document/AWS-StartSSHSession",),
    ),
    _Scope(
        "PublicParameters",
        frozenset({"ssm:GetParameters"}),
        ("arn:aws:ssm:*:*:parameter/aws/service/*",),
    ),
    # Parameter Store uses keys for secrets, and EBS for volumes; we never do by ourselves. What a volume with a
    # key of the customer's needs: EBS User Guide, "Requirements for Amazon EBS encryption".
    _Scope(
        "KeysByServices",
        frozenset(
            {
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            }
        ),
        _KEYS,
        {"StringLike": {"kms:ViaService": ["ec2.*.amazonaws.com", "ssm.*.amazonaws.com"]}},
    ),
    _Scope(
        "GrantKeyToVolumes",
        frozenset({"kms:CreateGrant"}),
        _KEYS,
        {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    ),
    _Scope(
        "AskForQuota",
        frozenset({"servicequotas:RequestServiceQuotaIncrease"}),
        ("arn:aws:servicequotas:*:*:ec2/*",),
    ),
    # An instance profile of the spec is looked at, and its role handed to EC2 and to nobody else.
    _Scope(
        "LookAtProfiles",
        frozenset({"iam:GetInstanceProfile"}),
        ("arn:aws:iam::*:instance-profile/*",),
    ),
    _Scope(
        "PassRoleToInstances",
        frozenset({"iam:PassRole"}),
        ("arn:aws:iam::*:role/*",),
        {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
    ),
    _Scope(
        "SpotRole",
        frozenset({"iam:CreateServiceLinkedRole"}),
        ("arn:aws:iam::*:role/aws-service-role/spot.amazonaws.com/*",),
        {"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}},
    ),
)

CHECKED_WITH = {
    "ec2:RunInstances": "ec2:CreateFleet",
    "iam:CreateServiceLinkedRole": "ec2:CreateFleet",
    "iam:PassRole": "ec2:CreateFleet",
    "kms:CreateGrant": "ec2:CreateFleet",
    "kms:Decrypt": "ssm:GetParametersByPath",
    "kms:DescribeKey": "ec2:CreateFleet",
    "kms:Encrypt": "ssm:PutParameter",
    "kms:GenerateDataKeyWithoutPlaintext": "ec2:CreateFleet",
    "kms:ReEncryptFrom": "ec2:CreateFleet",
    "kms:ReEncryptTo": "ec2:CreateFleet",
    "ssm:AddTagsToResource": "ssm:PutParameter",
}
"""Permissions that AWS checks when another action is called; no client calls them by themselves."""

CALLED_BY_OTHERS = frozenset({"ssm:StartSession"})
"""Called by programs that we start (the AWS CLI), under their own names."""


def least_policy(declared: Collection[Declared]) -> dict[str, object]:
    """Give the policy document that allows just what these effects declare.

    Raises UsageError where they declare nothing: IAM takes no policy without statements.
    """
    actions = {action for effect in declared for action in effect}
    if not actions:
        raise UsageError(
            "what was named calls nothing of AWS", remedy="name other commands, or none for all"
        )
    scopes = (*_SCOPES, *_tagging(declared), *_of_images(baking=bool(_IMAGES & actions)))
    unknown = actions - {action for scope in scopes for action in scope.actions}
    if unknown:
        raise ValueError(
            f"say in fleet/plan/account/iam.py how far {', '.join(sorted(unknown))} may reach"
        )
    statements = [_statement(scope, actions) for scope in scopes if scope.actions & actions]
    return {"Version": "2012-10-17", "Statement": statements}


def _tagging(declared: Iterable[Declared]) -> Iterable[_Scope]:
    """Tags go on in a creating call, or onto what is ours already; never onto anything else."""
    tagging = [effect for effect in declared if CREATE_TAGS in effect]
    calls = {action for effect in tagging for action in effect} & _MADE_BY.keys()
    if calls - _IMAGES:
        yield _tagged_in("TagWhatIsMade", calls - _IMAGES, _marked("aws:RequestTag"))
    if calls & _IMAGES:
        yield _tagged_in("TagImagesMade", calls & _IMAGES, _MARK)
    if any(_MADE_BY.keys().isdisjoint(effect) for effect in tagging):
        yield _Scope("TagOurs", frozenset({CREATE_TAGS}), ("*",), _marked("aws:ResourceTag"))


def _tagged_in(sid: str, calls: Collection[str], given: Conditions) -> _Scope:
    """Only inside these calls, so that no resource need be named."""
    made = {"ec2:CreateAction": [call.partition(":")[2] for call in sorted(calls)]}
    return _Scope(sid, frozenset({CREATE_TAGS}), conditions={**given, "StringEquals": made})


def _of_images(*, baking: bool) -> Iterable[_Scope]:
    """How far who bakes reaches: an image's state stands in tags, what is in it in parameters."""
    change = _CHANGE_IMAGES | {CREATE_TAGS} if baking else _CHANGE_IMAGES
    roots = (tags.PARAMETER_ROOT, tags.MANIFEST_ROOT) if baking else (tags.PARAMETER_ROOT,)
    ours = {"StringEquals": {f"aws:ResourceTag/{tags.MANAGED_BY}": tags.MAKER}}
    yield _Scope("ChangeOurImages", change, _ec2(*_OF_NO_ACCOUNT), ours)
    yield _Scope("Parameters", _PARAMETERS, tuple(f"arn:aws:ssm:*:*:parameter{r}/*" for r in roots))


def _statement(scope: _Scope, actions: Collection[str]) -> dict[str, object]:
    statement: dict[str, object] = {
        "Sid": scope.sid,
        "Effect": "Allow",
        "Action": sorted(scope.actions.intersection(actions)),
        "Resource": list(scope.resources) if len(scope.resources) > 1 else scope.resources[0],
    }
    if scope.conditions:
        statement["Condition"] = {test: dict(keys) for test, keys in scope.conditions.items()}
    return statement

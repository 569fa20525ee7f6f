"""botocore's errors in our words: one line, with the remedy, by code."""

from __future__ import annotations

import boto3
import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from fleet import errors
from fleet.aws.clients import open_session, resolve_region
from fleet.aws.translate import one_line, translate


def answered(code: str, message: str = "It went\nwrong.") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateFleet")


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        ("ExpiredToken", errors.CredentialsError, "have expired"),
        ("RequestExpired", errors.CredentialsError, "have expired"),
        ("AuthFailure", errors.CredentialsError, "does not accept these credentials here"),
        ("InvalidClientTokenId", errors.CredentialsError, "does not accept"),
        ("UnauthorizedOperation", errors.NotAuthorizedError, "may not call CreateFleet"),
        ("AccessDeniedException", errors.NotAuthorizedError, "may not call CreateFleet"),
        ("InsufficientInstanceCapacity", errors.CapacityError, "name more types"),
        ("VcpuLimitExceeded", errors.QuotaError, "quota"),
        ("DependencyViolation", errors.InUseError, "It went wrong"),
        ("InvalidAMIName.Duplicate", errors.NameTakenError, "give the image another name"),
        ("InvalidAMIID.NotFound", errors.NotFoundError, "It went wrong"),
        ("RequestLimitExceeded", errors.AwsError, r"\(RequestLimitExceeded\): It went wrong"),
        ("SomethingNew", errors.AwsError, r"CreateFleet failed \(SomethingNew\): It went wrong"),
    ],
)
def test_codes(code: str, kind: type[errors.AwsError], text: str) -> None:
    translated = translate(answered(code))
    assert type(translated) is kind
    assert translated.code == code
    with pytest.raises(kind, match=text):
        raise translated
    assert "\n" not in str(translated)
    assert translated.remedy


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (exceptions.NoCredentialsError(), errors.CredentialsError),
        (exceptions.ProfileNotFound(profile="nobody"), errors.CredentialsError),
        (
            exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:9"),
            errors.EndpointError,
        ),
        (exceptions.ConnectTimeoutError(endpoint_url="http://127.0.0.1:9"), errors.EndpointError),
        (exceptions.BotoCoreError(), errors.AwsError),
    ],
)
def test_no_answer(error: exceptions.BotoCoreError, kind: type[errors.AwsError]) -> None:
    translated = translate(error)
    assert type(translated) is kind
    assert "\n" not in str(translated)


IN_CODE = "… Encoded authorization failure message: AbC-_d9"
NO_FLEET = (
    "User: arn:aws:iam::1:user/a is not authorized to perform: ec2:CreateFleet on resource: "
    "arn:aws:ec2:us-east-1:1:fleet/* because no identity-based policy allows it"
)
NO_ROLE = (
    f"… is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/gpu {IN_CODE}"
)
NAMED = (
    "CreateFleet: it lacks iam:PassRole on arn:aws:iam::1:role/gpu (UnauthorizedOperation): "
    "ask for the permission iam:PassRole: `fleet iam policy`"
)


@pytest.mark.parametrize(
    ("said", "lacks"),
    [
        ("You are not authorized to perform this operation.", "may not call CreateFleet ("),
        (NO_FLEET, "may not call CreateFleet ("),
        (NO_ROLE, NAMED),
    ],
)
def test_a_denial_names_what_is_missing(said: str, lacks: str) -> None:
    told = str(translate(answered("UnauthorizedOperation", said)))
    assert lacks in told
    assert "AbC-_d9" not in told


def test_lines_are_folded_and_bounded() -> None:
    assert one_line(" a\n b.\n") == "a b"
    assert len(one_line("x" * 1000)) == 300


def test_a_misspelt_region_is_found_without_asking_aws() -> None:
    with pytest.raises(
        errors.FleetError, match=r"us-eats-1 does not exist: did you mean us-east-1\?"
    ):
        resolve_region(boto3.Session(), "us-eats-1")
    assert resolve_region(boto3.Session(), "eu-west-1") == "eu-west-1"


def test_a_profile_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(errors.CredentialsError, match="nobody"):
        open_session(profile="nobody")

"""What is saved when EC2 takes a Spot Instance back: folders of the home, and where each goes in S3."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from fleet.spec import rules
from fleet.spec.forms import Doc, Text
from fleet.spec.frozen import Frozen
from fleet.spec.refusal import Objection, RefusedError, refuse, shown

# The characters that S3 calls safe in a key ("Naming Amazon S3 objects"), without those that shells read.
S3_PATTERN = r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.=-]+)*/?$"

# They hold the environment's token, its certificate's key and the person's keys.
_PRIVATE = ("~", "~/.fleet", "~/.ssh", "~/.aws")


def s3_folder(text: str) -> str:
    """A folder in S3: a bucket, with or without a prefix; given back without a slash at its end."""
    if re.fullmatch(S3_PATTERN, text):
        return text.rstrip("/")
    host = text.partition("://")[2].partition("/")[0].lower()
    bucket = re.sub(r"[^a-z0-9.-]+", "-", re.sub(r"\.s3[.-].*amazonaws\.com$", "", host))
    example = f"s3://{bucket.strip('.-') or 'team-bucket'}/workshop"
    raise refuse(f"{shown(text)} is not a folder in S3", f"write it like {example}")


def folder(text: str) -> str:
    """A folder under the home; never the home itself, for secrets are in it."""
    path = rules.remote_path(text).rstrip("/")
    if path in _PRIVATE or path.startswith(tuple(f"{each}/" for each in _PRIVATE[1:])):
        raise refuse(f"{shown(text)} has keys and tokens in it", "name another folder, like ~/work")
    return path


def _apart(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Refuse a second folder with the same destination: files of one name would be one file there."""
    seen: set[str] = set()
    again = []
    for index, (_, to) in enumerate(pairs):
        if to in seen:
            message = f"{shown(to)} is where another folder goes"
            again.append(Objection(message, "give each folder a place of its own", (index,)))
        seen.add(to)
    if again:
        raise RefusedError(*again)
    return pairs


Folder = Annotated[str, AfterValidator(folder)]
S3Folder = Annotated[str, AfterValidator(s3_folder), Text(pattern=S3_PATTERN)]


class Interruption(Frozen):
    """What is saved when a Spot Instance is interrupted.

    `sync` holds pairs: a folder under the environment's home, and a folder in S3, below which each member has one.
    """

    sync: Annotated[
        tuple[tuple[Folder, S3Folder], ...],
        AfterValidator(_apart),
        Doc(
            "Folders under the home, and where `aws s3 sync` brings each, below a folder of the member's name; "
            "with the rights of `instances.profile`.",
            "{~/work: s3://team-bucket/workshop}",
            default="nothing",
        ),
    ] = ()

"""Reads arguments of `fleet amis`: image ids, recipes, accounts, regions. AWS is asked for none of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fleet.errors import UsageError


def image_argument(text: str) -> str:
    """Read an AMI's id. Raises UsageError."""
    from fleet.spec.refusal import RefusedError
    from fleet.spec.rules import image_id

    try:
        return image_id(text)
    except RefusedError as refused:
        raise UsageError(
            refused.objections[0].message,
            remedy="write it like ami-0123456789abcdef0; `fleet amis ls` lists them",
        ) from refused


def image_or_recipe(text: str) -> str:
    """Read an AMI's id, or take the text for a recipe's name. Raises UsageError."""
    return image_argument(text) if text.startswith("ami-") else text


def parts_of(given: Iterable[str]) -> tuple[str, ...]:
    """Split what stands between commas; what is named twice counts once."""
    parts = (part.strip() for text in given for part in text.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def account_flags(flag: str, given: Iterable[str]) -> tuple[str, ...]:
    """Read accounts. Raises UsageError for what is no account's id."""
    accounts = parts_of(given)
    for account in accounts:
        if not re.fullmatch(r"[0-9]{12}", account):
            raise UsageError(
                f"{flag} {account} is not an account's id", remedy="write its 12 digits"
            )
    return accounts


def check_copy(place: str, *, home: str, key: str | None) -> None:
    """Raise UsageError for a copy to where the image is, or with a key of another region."""
    if place == home:
        raise UsageError(f"--to {place} is where the image is", remedy="name another region")
    of_key = re.match(r"arn:[^:]+:kms:([^:]+):", key or "")
    if of_key and of_key[1] != place:
        raise UsageError(
            f"--kms-key is a key of {of_key[1]}, and --to is {place}",
            remedy="copy to each region with a key of its own, or name one alias that all have",
        )

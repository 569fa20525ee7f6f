"""Marks each function that calls AWS: names its IAM actions, and turns botocore's errors into ours.

The first argument of such a function is an `Aws`. Where EC2 denies in code, STS is asked for the plain words.
The shipped IAM policy is generated from these declarations.
"""

from __future__ import annotations

import functools
import importlib
import json
import pkgutil
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

import fleet.aws
from fleet.aws.clients import Aws
from fleet.aws.translate import denied_action, encoded_denial, translate
from fleet.errors import AwsError
from fleet.plan.reactions import DENIED

P = ParamSpec("P")
R = TypeVar("R")

_DECLARED: dict[str, tuple[str, ...]] = {}


def effect(*actions: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare the IAM actions of a function, and translate what botocore raises inside it."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        _DECLARED[f"{function.__module__}.{function.__qualname__}"] = actions

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except (ClientError, BotoCoreError) as error:
                aws = args[0] if args and isinstance(args[0], Aws) else None
                raise translate(_readable(aws, error)) from error

        return call

    return decorate


def named_denial(aws: Aws | None, code: str, said: str) -> str:
    """Give a denial's words with the action that is missing, where STS tells it to this identity; else as they are."""
    encoded = encoded_denial(said) if code in DENIED and not denied_action(said) else ""
    if aws is None or not encoded:
        return said
    try:
        return f"not authorized to perform: {_decoded(aws, encoded)}"
    except (AwsError, ValueError, KeyError, TypeError):
        return said  # who may not ask STS is told the call alone


def _readable(aws: Aws | None, error: ClientError | BotoCoreError) -> ClientError | BotoCoreError:
    if not isinstance(error, ClientError):
        return error
    told = error.response.get("Error", {})
    message = named_denial(aws, str(told.get("Code", "")), str(told.get("Message", "")))
    return ClientError({"Error": {**told, "Message": message}}, error.operation_name)


@effect("sts:DecodeAuthorizationMessage")
def _decoded(aws: Aws, encoded: str) -> str:
    """Ask STS what a denial was about: "ec2:RunInstances on resource: arn:…"."""
    answer = aws.sts.decode_authorization_message(EncodedMessage=encoded)
    context = json.loads(answer["DecodedMessage"])["context"]
    return f"{context['action']} on resource: {context['resource']}"


def declared_actions() -> dict[str, tuple[str, ...]]:
    """Give the IAM actions of every function of this layer, by its full name."""
    for module in pkgutil.iter_modules(fleet.aws.__path__):
        importlib.import_module(f"fleet.aws.{module.name}")
    return dict(sorted(_DECLARED.items()))

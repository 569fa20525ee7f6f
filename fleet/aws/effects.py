"""Marks each function that calls AWS: names its IAM actions, and turns botocore's errors into ours.

The shipped IAM policy is generated from these declarations.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

import fleet.aws
from fleet.aws.translate import translate

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
                raise translate(error) from error

        return call

    return decorate


def declared_actions() -> dict[str, tuple[str, ...]]:
    """Give the IAM actions of every function of this layer, by its full name."""
    for module in pkgutil.iter_modules(fleet.aws.__path__):
        importlib.import_module(f"fleet.aws.{module.name}")
    return dict(sorted(_DECLARED.items()))

"""ClientTokens: the same token with the same request gives the same answer, with another request an
error.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import TypeVar

from fleet.sandbox.cloud.documents import ApiError

Result = TypeVar("Result")


class ClientTokens:
    """Answers by (Region, action, token). Only answers that succeeded are kept, as EC2 keeps them."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], tuple[str, object]] = {}

    def clear(self) -> None:
        """Forget every token."""
        self._kept.clear()

    def once(
        self, key: tuple[str, str, str], request: dict[str, object], act: Callable[[], Result]
    ) -> Result:
        """What `act` gave the first time that this token came with this request."""
        if not key[2]:
            return act()
        fingerprint = _fingerprint(request)
        kept = self._kept.get(key)
        if kept is None:
            result = act()
            self._kept[key] = (fingerprint, result)
            return result
        if kept[0] != fingerprint:
            raise ApiError(
                "IdempotentParameterMismatch",
                "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
            )
        return kept[1]  # type: ignore[return-value]  # kept by the same action, hence of its type


def _fingerprint(request: dict[str, object]) -> str:
    rest = {name: value for name, value in request.items() if name not in {"ClientToken", "DryRun"}}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, default=str).encode()).hexdigest()

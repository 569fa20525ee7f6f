"""What the JSON services that are not moto's share: actions by name, pages, errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fleet.sandbox.cloud.call import Call, json_parameters
from fleet.sandbox.cloud.documents import Answer, ApiError, json_answer

Parameters = dict[str, Any]
Action = Callable[[Call, Parameters], Parameters]


def answer(call: Call, actions: Mapping[str, Action]) -> Answer:
    """The answer of the action that the call names."""
    action = actions.get(call.action)
    if action is None:
        raise ApiError(
            "UnsupportedOperation", f"The sandbox does not implement {call.service}:{call.action}."
        )
    return json_answer(action(call, json_parameters(call)))


def page(key: str, items: Sequence[object], parameters: Parameters, *, default: int) -> Parameters:
    """One page of `items`, with the token of the next one where there is one."""
    token = str(parameters.get("NextToken") or "0")
    if not token.isdigit():
        raise ApiError("InvalidNextTokenException", "The pagination token is not valid.")
    start = int(token)
    end = start + int(parameters.get("MaxResults") or default)
    more = {"NextToken": str(end)} if end < len(items) else {}
    return {key: list(items[start:end]), **more}

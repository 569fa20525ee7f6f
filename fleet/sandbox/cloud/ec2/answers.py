"""What every EC2 action here shares: parameters, pages, DryRun, ClientTokens. One base for the
answer classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from moto.core.responses import ActionResult
from moto.ec2.responses._base_response import EC2BaseResponse

from fleet.sandbox.cloud.ec2.faults import Ec2Error

if TYPE_CHECKING:
    from fleet.sandbox.cloud.ec2.backend import SandboxEc2
    from fleet.sandbox.cloud.ec2.spec import Data

Item = TypeVar("Item")


class Answers(EC2BaseResponse):
    """Reads the call's parameters; the actions are in the subclasses."""

    @property
    def region_backend(self) -> SandboxEc2:
        """The Region's backend."""
        return cast("SandboxEc2", self.ec2_backend)

    @property
    def parameters(self) -> Data:
        """The call's parameters, with the names and types of EC2's model."""
        return cast("Data", self.params)

    def filters(self) -> dict[str, list[str]]:
        """Filters by name."""
        return {name: list(values) for name, values in self._filters_from_querystring().items()}

    def page(self, key: str, items: Sequence[Item], *, default: int) -> ActionResult:
        """One page of `items`; the token of the next one is its offset, opaque to the client."""
        token = self.parameters.get("NextToken")
        size = int(self.parameters.get("MaxResults") or default)
        if token is not None and not str(token).isdigit():
            raise Ec2Error("InvalidNextToken", "The token is not valid.")
        start = int(token or 0)
        end = start + size
        return ActionResult(
            {key: list(items[start:end]), "NextToken": str(end) if end < len(items) else None}
        )

    def once(self, act: Callable[[], Any]) -> Any:
        """What `act` gave the first time that this ClientToken came with this request."""
        token = str(self.parameters.get("ClientToken") or "")
        key = (self.region, self._get_action(), token)
        return self.region_backend.state.tokens.once(key, self.parameters, act)

"""The results that people and scripts read: environments with their URLs.

`as_json` of each is the settled shape for scripts; a field that is not known is null.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from fleet.plan import tags
from fleet.plan.environment.heartbeats import Watchers
from fleet.plan.environment.proofs import Proof, parse_proof
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.money import as_number, total
from fleet.plan.ports import JUPYTER_PORT, TENSORBOARD_PATH, TENSORBOARD_PORT

HERE = "127.0.0.1"
"""The near end of a tunnel."""

State = Literal[
    "ready", "starting", "unreachable", "failed", "missing", "pending", "stopping", "stopped",
    "shutting-down", "terminated", "leaving",
]  # fmt: skip
"""`leaving`: it still runs, and EC2 is taking it back."""


@dataclass(frozen=True)
class Environment:
    """One person's instance with its services. `reason` says why it is not ready; empty when it is.

    `proof` is the latest, None where nothing was proven yet; `watchers` is None where nothing is heard of them.
    """

    member: str | None
    instance_id: str | None
    instance_type: str | None
    market: str | None
    availability_zone: str | None
    state: State
    address: str | None
    jupyter_url: str | None
    tensorboard_url: str | None
    hourly_usd: Decimal | None
    expires_at: datetime | None
    reason: str
    proof: Proof | None = None
    watchers: Watchers | None = None

    @property
    def inside_ssh(self) -> bool:
        """Whether its links open at the near end of a tunnel alone."""
        return self.jupyter_url is not None and f"//{self.address}:" not in self.jupyter_url

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape; prices are numbers in USD, times UTC in ISO 8601."""
        return {
            "member": self.member,
            "instance_id": self.instance_id,
            "instance_type": self.instance_type,
            "market": self.market,
            "availability_zone": self.availability_zone,
            "state": self.state,
            "address": self.address,
            "jupyter_url": self.jupyter_url,
            "tensorboard_url": self.tensorboard_url,
            "hourly_usd": as_number(_rounded(self.hourly_usd)),
            "expires_at": tags.expiry_text(self.expires_at) if self.expires_at else None,
            "reason": self.reason or None,
            "watchers": self.watchers.as_json() if self.watchers else None,
        }

    def receipt_as_json(self) -> dict[str, object]:
        """Give `as_json` with the latest proof as one field more."""
        return {**self.as_json(), "proof": self.proof.as_json() if self.proof else None}


@dataclass(frozen=True)
class FleetReport:
    """A fleet as it stands."""

    fleet: str
    region: str
    environments: tuple[Environment, ...]

    @property
    def ready(self) -> int:
        """How many environments are ready."""
        return sum(environment.state == "ready" for environment in self.environments)

    @property
    def current(self) -> FleetReport:
        """The same with one environment for each member: without what is leaving where another one stands in."""
        staying = {e.member for e in self.environments if e.member and e.state != "leaving"}
        left = (e for e in self.environments if e.state != "leaving" or e.member not in staying)
        return replace(self, environments=tuple(left))

    @property
    def hourly_usd(self) -> Decimal | None:
        """USD per hour of all instances that run, None when one's price is unknown."""
        return total(e.hourly_usd for e in self.environments if e.state in _BILLED)

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape of `up`, `status` and `urls`."""
        return {
            "fleet": self.fleet,
            "region": self.region,
            "hourly_usd": as_number(_rounded(self.hourly_usd)),
            "environments": [environment.as_json() for environment in self.environments],
        }


_BILLED = {"ready", "starting", "unreachable", "failed", "pending", "leaving"}


def describe_environment(
    instance: InstanceFact,
    *,
    state: State,
    reason: str = "",
    token: str | None = None,
    proof: Proof | None = None,
    watchers: Watchers | None = None,
) -> Environment:
    """Describe one person's environment; with `token` it carries the URLs that log in.

    `proof` is what was just shown, None for what the instance's tag says.
    """
    address = instance.address
    jupyter = tensorboard = None
    if address and state == "ready" and token:
        scheme = "https" if instance.tls else "http"
        # Where nothing but SSH comes in, they open at the near end of a tunnel.
        at = HERE if instance.access_path.tunnelled else address
        jupyter = jupyter_url(f"{scheme}://{at}:{JUPYTER_PORT}", token)
        tensorboard = tensorboard_url(f"{scheme}://{at}:{TENSORBOARD_PORT}", token)
    return Environment(
        member=instance.member,
        instance_id=instance.instance_id,
        instance_type=instance.instance_type,
        market=instance.market,
        availability_zone=instance.availability_zone,
        state=state,
        address=address,
        jupyter_url=jupyter,
        tensorboard_url=tensorboard,
        hourly_usd=instance.hourly_usd,
        expires_at=instance.expires_at,
        reason=reason,
        proof=proof or parse_proof(instance.tags.get(tags.PROOF)),
        watchers=watchers,
    )


def jupyter_url(base: str, token: str) -> str:
    """Give the link that logs in to JupyterLab, at a server such as https://203.0.113.7:8888."""
    return f"{base}/lab?token={token}"


def tensorboard_url(base: str, token: str) -> str:
    """Give the link that logs in to TensorBoard, at a server such as https://203.0.113.7:6006."""
    return f"{base}{TENSORBOARD_PATH}?token={token}"


def missing_environment(member: str, *, reason: str) -> Environment:
    """Describe an environment that EC2 did not give."""
    return Environment(
        member, None, None, None, None, "missing", None, None, None, None, None, reason
    )


def _rounded(value: Decimal | None) -> Decimal | None:
    return None if value is None else round(value, 6)

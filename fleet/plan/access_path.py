"""How instances are reached: at public addresses, openly or inside SSH, or at private ones by one of three ways. Pure.

Tags are the record: the way stands in an instance's tag, for whoever comes later without the spec.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fleet.plan.ports import PORTS, SSH_PORT

if TYPE_CHECKING:  # it brings pydantic, which whoever reads a tag can do without
    from fleet.spec.access import Access

Kind = Literal["public", "tunnel", "direct", "ssm", "bastion"]

_KINDS: tuple[Kind, ...] = ("public", "tunnel", "direct", "ssm", "bastion")


@dataclass(frozen=True)
class AccessPath:
    """A way in. `bastion` is `user@host` or `user@host:port` where the kind is bastion, and empty otherwise."""

    kind: Kind = "public"
    bastion: str = ""

    @property
    def text(self) -> str:
        """Write it as it stands in a tag."""
        return f"{self.kind} {self.bastion}".strip()

    @property
    def tunnelled(self) -> bool:
        """Whether only SSH comes through, so that other ports are reached inside of it."""
        return self.kind in {"tunnel", "ssm", "bastion"}

    @property
    def public(self) -> bool:
        """Whether instances are reached at public addresses."""
        return self.kind in {"public", "tunnel"}

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports that the security group opens."""
        return (SSH_PORT,) if self.kind == "tunnel" else PORTS

    @property
    def words(self) -> str:
        """Say it to a person."""
        return {
            "public": "public addresses",
            "tunnel": "public addresses, Jupyter and TensorBoard inside SSH",
            "direct": "private addresses, reached directly",
            "ssm": "private addresses, SSH over Systems Manager",
            "bastion": f"private addresses, SSH through {self.bastion}",
        }[self.kind]


PUBLIC = AccessPath()


def access_path_of(access: Access) -> AccessPath:
    """Give the way that a spec asks for."""
    if access.via is None:
        return PUBLIC
    if access.via.bastion:
        return AccessPath("bastion", access.via.bastion)
    return AccessPath(access.via.through or "direct")


def parse_access_path(text: str | None) -> AccessPath:
    """Read a way from a tag; no tag, and what is no way, is public."""
    word, _, bastion = (text or "").partition(" ")
    for kind in _KINDS:
        if kind == word:
            return AccessPath(kind, bastion)
    return PUBLIC

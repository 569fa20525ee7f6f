"""Derives tokens. A person's Jupyter token and a request's ClientToken are functions of what is known, never stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field

from fleet.plan.record.generations import Generations


@dataclass(frozen=True)
class Secrets:
    """The fleet's secrets; none shows in a repr.

    `fleet_secret` is random text, `private_key` an ed25519 key in OpenSSH's format, `authority` the private key and the
    certificate of the fleet's certificate authority in PEM. `generations` are those that new instances begin with.
    """

    fleet_secret: str = field(repr=False)
    private_key: str = field(repr=False)
    authority: str = field(repr=False)
    generations: Generations = field(default_factory=Generations)


def jupyter_token(fleet_secret: str, member: str, *, generation: int) -> str:
    """Derive a person's token: HMAC-SHA256 over member and generation, 43 URL-safe characters.

    Raising the generation (`rotate`) changes the token; nothing is stored per person.
    """
    message = json.dumps(["jupyter", member, generation]).encode()
    digest = hmac.new(fleet_secret.encode(), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def client_token(*parts: object) -> str:
    """Derive a ClientToken (at most 64 ASCII characters) from the request and what was observed.

    The same request over the same observation gives the same token, so that a retry after a lost
    response buys nothing twice; a changed one gives another, so EC2 never sees a mismatch.
    """
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def digest(*parts: object) -> str:
    """Give a short hash (16 hex digits) of anything JSON can write; it identifies, it protects nothing."""
    return client_token(*parts)[:16]

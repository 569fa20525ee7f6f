"""One CreateFleet request as a value, and as the text that is kept while nobody knows whether it took effect.

Sent twice, the same request with the same ClientToken buys once: so whoever finds the text of a request that
was sent by a run which ended in between sends it again, and learns what it brought. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fleet.plan.facts.hardware import Market
from fleet.plan.hardware.pools import Pool
from fleet.plan.launch.purchase import Ask, Refusal
from fleet.plan.record.tokens import client_token


@dataclass(frozen=True)
class LaunchPool:
    """One override of the request: a type in a subnet, which stands for its zone."""

    instance_type: str
    subnet_id: str
    priority: int


@dataclass(frozen=True)
class LaunchRequest:
    """So many instances, from these pools, in this market."""

    template_id: str
    template_version: int
    pools: tuple[LaunchPool, ...]
    market: Market
    count: int
    max_price: Decimal | None
    tags: Mapping[str, str]
    client_token: str


@dataclass(frozen=True)
class LaunchAnswer:
    """What a request brought: instance ids, and refusals where it fell short."""

    instance_ids: tuple[str, ...]
    refusals: tuple[Refusal, ...] = ()


def launch_request(
    ask: Ask,
    *,
    template: tuple[str, int],
    max_price: Decimal | None,
    tags: Mapping[str, str],
    observed: Sequence[str],
    run: str,
) -> LaunchRequest:
    """Make the request of an ask. Its ClientToken is a hash of all of it, of the instances that are there, and of
    `run`: without the last, asking again after "no capacity" would bring EC2's old answer.
    """
    pools = tuple(_launch_pool(pool) for pool in ask.pools)
    return LaunchRequest(
        template_id=template[0],
        template_version=template[1],
        pools=pools,
        market=ask.market,
        count=ask.count,
        max_price=max_price,
        tags=tags,
        client_token=client_token(
            template,
            [pool.__dict__ for pool in pools],
            ask.market,
            ask.count,
            max_price,
            dict(tags),
            observed,
            run,
        ),
    )


def _launch_pool(pool: Pool) -> LaunchPool:
    return LaunchPool(pool.instance_type, pool.subnet_id, pool.priority)


def as_text(request: LaunchRequest) -> str:
    """Write a request, short: types and subnets once, each pool as their places and its priority."""
    types = list(dict.fromkeys(pool.instance_type for pool in request.pools))
    subnets = list(dict.fromkeys(pool.subnet_id for pool in request.pools))
    content = {
        "template": [request.template_id, request.template_version],
        "types": types,
        "subnets": subnets,
        "pools": [
            [types.index(p.instance_type), subnets.index(p.subnet_id), p.priority]
            for p in request.pools
        ],
        "market": request.market,
        "count": request.count,
        "max_price": None if request.max_price is None else str(request.max_price),
        "tags": dict(request.tags),
        "token": request.client_token,
    }
    return json.dumps(content, separators=(",", ":"))


def from_text(text: str) -> LaunchRequest | None:
    """Read a request; None for what is none."""
    try:
        content: dict[str, Any] = json.loads(text)
        types, subnets, price = content["types"], content["subnets"], content["max_price"]
        return LaunchRequest(
            template_id=content["template"][0],
            template_version=content["template"][1],
            pools=tuple(LaunchPool(types[t], subnets[s], n) for t, s, n in content["pools"]),
            market=content["market"],
            count=content["count"],
            max_price=None if price is None else Decimal(price),
            tags=content["tags"],
            client_token=content["token"],
        )
    except (ValueError, KeyError, IndexError, TypeError, ArithmeticError):
        return None

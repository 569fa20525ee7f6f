"""Tries which actions of the policy may be called: reads by reading, launching calls by DryRun. Makes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fleet.assets.shipped import load_catalogue
from fleet.aws.clients import Aws
from fleet.aws.effects import declared_actions
from fleet.aws.identity import describe_identity
from fleet.aws.images import describe_published_images
from fleet.aws.instance_types import describe_instance_types, describe_offerings
from fleet.aws.inventory import READERS
from fleet.aws.launch_templates import describe_all_launch_templates
from fleet.aws.parameters import read_public_parameters
from fleet.aws.permissions import (
    try_create_fleet,
    try_create_launch_template,
    try_create_security_group,
    try_import_key_pair,
    try_run_instances,
)
from fleet.aws.prices import describe_on_demand_prices, describe_spot_prices
from fleet.aws.quotas import describe_open_request
from fleet.aws.regions import describe_regions
from fleet.aws.subnets import describe_subnets
from fleet.errors import FleetError
from fleet.plan import tags
from fleet.plan.account.doctor import Finding, untried
from fleet.plan.facts.images import ImageFact
from fleet.plan.facts.network import SubnetFact
from fleet.plan.images.choice import search_patterns
from fleet.side_by_side import side_by_side
from fleet.spec.access import Access
from fleet.spec.model import ImageSelector
from fleet.ssh.keygen import generate_private_key
from fleet.ssh.keys import public_line

NAME = "permissions"
TYPE = "g4dn.xlarge"
"""What is asked about where no spec says otherwise: the smallest type with an NVIDIA GPU and an x86 CPU."""

_AT_ONCE = 24
_QUOTA = "L-DB2E81BA"


@dataclass(frozen=True)
class _Trial:
    """One function of the edge to AWS, named, and how to call it harmlessly."""

    effect: Callable[..., Any]
    call: Callable[[], object]

    @property
    def actions(self) -> tuple[str, ...]:
        return declared_actions()[f"{self.effect.__module__}.{self.effect.__qualname__}"]


def examine_permissions(aws: Aws, access: Access) -> tuple[Finding, ...]:
    """Try what can be tried, and name what cannot."""
    with side_by_side(_AT_ONCE) as trials:
        launching = trials.ask(_launching, aws, access)
        outcomes = list(trials.each(_outcome, [*_reading(aws), *_making(aws)]))
        more, skipped = launching()
        outcomes += trials.each(_outcome, more)
    allowed = {a for trial, failed in outcomes if failed is None for a in trial.actions}
    denied = [failed for _, failed in outcomes if failed is not None]
    every = {action for actions in declared_actions().values() for action in actions}
    asked = {a for trial, _ in outcomes for a in trial.actions}
    fine = Finding(
        NAME,
        "ok",
        f"{len(allowed)} of the policy's {len(every)} actions were tried and are allowed",
    )
    return (fine, *dict.fromkeys(denied), *skipped, untried(every, asked))


def _trial(effect: Callable[..., Any], *args: object, **kwargs: object) -> _Trial:
    return _Trial(effect, partial(effect, *args, **kwargs))


def _outcome(trial: _Trial) -> tuple[_Trial, Finding | None]:
    try:
        trial.call()
    except FleetError as error:
        return trial, Finding(NAME, "failed", error.message, error.remedy)
    return trial, None


def _reading(aws: Aws) -> Iterable[_Trial]:
    yield from (_trial(read, aws, None) for read in READERS.values())
    yield _trial(describe_identity, aws)
    yield _trial(describe_regions, aws)
    yield _trial(describe_open_request, aws, code=_QUOTA)
    yield _trial(describe_instance_types, aws, names=[TYPE])
    yield _trial(describe_offerings, aws, names=[TYPE])
    yield _trial(describe_spot_prices, aws, names=[TYPE])
    yield _trial(describe_on_demand_prices, aws, names=[TYPE])
    yield _trial(read_public_parameters, aws, names=["/aws/service/global-infrastructure/version"])


def _making(aws: Aws) -> Iterable[_Trial]:
    yield _trial(try_import_key_pair, aws, public_key=public_line(generate_private_key()))


def _launching(aws: Aws, access: Access) -> tuple[Sequence[_Trial], Sequence[Finding]]:
    """Give the trials that need a subnet, an image or a launch template, where these are there."""
    try:
        subnets = describe_subnets(aws, vpc_id=access.vpc, subnet_ids=access.subnets)
        image = _newest_image(aws)
        fleets = describe_all_launch_templates(aws)
    except FleetError as error:
        return [], [_skipped(f"launching was not tried: {error}")]
    trials: list[_Trial] = []
    skipped: list[Finding] = []
    if image and subnets:
        trials += _with_image(aws, image, subnets[0])
    else:
        skipped.append(_skipped("launching was not tried: there is no subnet or no image"))
    if fleets:
        name = tags.resource_name(fleets[0])
        trials.append(_trial(try_create_fleet, aws, template_name=name, instance_type=TYPE))
    else:
        skipped.append(_skipped("ec2:CreateFleet can be tried once a fleet has a launch template"))
    return trials, skipped


def _with_image(aws: Aws, image: ImageFact, subnet: SubnetFact) -> Iterable[_Trial]:
    yield _trial(try_create_security_group, aws, vpc_id=subnet.vpc_id)
    yield _trial(try_create_launch_template, aws, image_id=image.image_id)
    yield _trial(
        try_run_instances,
        aws,
        image_id=image.image_id,
        instance_type=TYPE,
        subnet_id=subnet.subnet_id,
    )


def _newest_image(aws: Aws) -> ImageFact | None:
    catalogue = load_catalogue()
    names = search_patterns(ImageSelector(framework="base"), catalogue)
    found = describe_published_images(aws, owner=catalogue.owner, names=names)
    fitting = [image for image in found if image.architecture == "x86_64"]
    return max(fitting, key=lambda image: image.created_at, default=None)


def _skipped(detail: str) -> Finding:
    return Finding(NAME, "skipped", detail)

"""Observes: all that a plan needs, read at the same time, nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from fleet.assets.shipped import load_catalogue
from fleet.aws.clients import Aws
from fleet.aws.identity import describe_caller_cidr, describe_identity
from fleet.aws.images import describe_image
from fleet.aws.instance_profiles import describe_instance_profile
from fleet.aws.instance_types import describe_instance_types, describe_offerings
from fleet.aws.key_pairs import describe_key_pairs
from fleet.aws.launch_templates import describe_launch_templates
from fleet.aws.network import describe_security_groups
from fleet.aws.parameters import read_public_parameters
from fleet.aws.placement import describe_spot_placement
from fleet.aws.prices import describe_spot_prices
from fleet.aws.subnets import describe_subnets
from fleet.errors import AwsError
from fleet.plan.facts.hardware import PlacementFacts, Prices, QuotaFacts
from fleet.plan.facts.images import ImageFact
from fleet.plan.facts.launch import Observed, Owned, ProfileFact
from fleet.plan.facts.network import SubnetFact
from fleet.plan.hardware.pools import MARKETS
from fleet.plan.hardware.prices import known_prices
from fleet.plan.images.of_fleet import image_of_instances
from fleet.plan.images.parameters import parameters_to_ask
from fleet.plan.launch.instance_profile import profile_name
from fleet.side_by_side import SideBySide, side_by_side
from fleet.spec.access import Access
from fleet.spec.model import FleetSpec, ImageSelector
from fleet.workflows.context import Context
from fleet.workflows.hardware.observe import ask_quotas
from fleet.workflows.hardware.prices import Figures, read_figures
from fleet.workflows.images.listing import describe_candidates
from fleet.workflows.record.instances import fleet_instances

_AT_ONCE = 24


def observe_launch(context: Context, spec: FleetSpec) -> Observed:
    """Observe all that a launch is planned from."""
    aws, types = context.aws, spec.instances.types
    with side_by_side(_AT_ONCE) as reads:
        identity = reads.ask(describe_identity, aws)
        caller = reads.ask(_caller_cidr, context, spec)
        images = reads.ask(describe_candidates, aws, spec.image)
        facts = reads.ask(describe_instance_types, aws, names=types)
        offerings = reads.ask(describe_offerings, aws, names=types)
        subnets = reads.ask(_subnets, aws, spec.access)
        profile = reads.ask(_profile, aws, spec)
        figures = reads.ask(read_figures, context, types=types, rates=True)
        spot = reads.ask(_spot_prices, aws, spec)
        placement = reads.ask(_placement, aws, spec)
        owned = _ask_owned(reads, aws, spec.name)
        quotas = ask_quotas(reads, aws, types, MARKETS[spec.instances.market])
        return Observed(
            identity=identity(),
            region=aws.region,
            caller_cidr=caller(),
            images=images(),
            images_of_fleet=_image_of_fleet(aws, images(), owned()),
            line_parameters=_line_parameters(aws, spec.image, images()),
            placement=placement(),
            profile=profile(),
            instance_types=facts(),
            offerings=offerings(),
            subnets=subnets(),
            prices=_prices(figures(), spot()),
            owned=owned(),
            quotas=_read_or_why(quotas),
        )


def observe_owned(context: Context, fleet: str) -> Owned:
    """Observe what a launch goes on from: the kinds that `Observed.owned` has."""
    with side_by_side(_AT_ONCE) as reads:
        return _ask_owned(reads, context.aws, fleet)()


def _ask_owned(reads: SideBySide, aws: Aws, fleet: str) -> Callable[[], Owned]:
    """What a launch goes on from."""
    instances = reads.ask(fleet_instances, aws, fleet)
    groups = reads.ask(describe_security_groups, aws, fleet=fleet)
    keys = reads.ask(describe_key_pairs, aws, fleet=fleet)
    templates = reads.ask(describe_launch_templates, aws, fleet=fleet)
    return lambda: Owned(
        instances=instances(),
        security_groups=groups(),
        key_pairs=keys(),
        launch_templates=templates(),
    )


def _read_or_why(quotas: Callable[[], QuotaFacts]) -> QuotaFacts:
    """Quotas that cannot be read stop no launch: EC2 itself refuses what is too much."""
    try:
        return quotas()
    except AwsError as error:
        return QuotaFacts(unread=error.message)


def _line_parameters(
    aws: Aws, selector: ImageSelector, images: tuple[ImageFact, ...]
) -> dict[str, str]:
    """Read what SSM calls the latest of the lines. A cross-check: without an answer the plan stands."""
    names = parameters_to_ask(selector, images, load_catalogue())
    try:
        return read_public_parameters(aws, names=names) if names else {}
    except AwsError:
        return {}


def _image_of_fleet(aws: Aws, images: tuple[ImageFact, ...], owned: Owned) -> tuple[ImageFact, ...]:
    """Describe the image that the fleet was made with, by id: a deprecated one shows up in no search."""
    image_id = image_of_instances(owned.instances)
    if image_id is None or any(image.image_id == image_id for image in images):
        return ()
    return describe_image(aws, image_id=image_id)


def _subnets(aws: Aws, access: Access) -> tuple[SubnetFact, ...]:
    return describe_subnets(aws, vpc_id=access.vpc, subnet_ids=access.subnets)


def _profile(aws: Aws, spec: FleetSpec) -> ProfileFact:
    """Look for the instance profile. A check only: who may not look may launch with it all the same."""
    if spec.instances.profile is None:
        return ProfileFact()
    try:
        return describe_instance_profile(aws, name=profile_name(spec.instances.profile))
    except AwsError as error:
        return ProfileFact(unread=error.message)


def _caller_cidr(context: Context, spec: FleetSpec) -> str:
    if "me" not in spec.access.sources:
        return ""
    return describe_caller_cidr(context.settings.checkip_url)


def _prices(read: tuple[Figures, str], spot: dict[tuple[str, str], Decimal]) -> Prices:
    figures, trouble = read
    return known_prices(figures, spot, trouble=trouble)


def _spot_prices(aws: Aws, spec: FleetSpec) -> dict[tuple[str, str], Decimal]:
    if "spot" not in MARKETS[spec.instances.market]:
        return {}
    return dict(describe_spot_prices(aws, names=spec.instances.types))


def _placement(aws: Aws, spec: FleetSpec) -> PlacementFacts:
    """Ask where Spot finds room. A help in choosing: without an answer the plan stands."""
    if "spot" not in MARKETS[spec.instances.market]:
        return PlacementFacts()
    try:
        return PlacementFacts(
            describe_spot_placement(aws, types=spec.instances.types, count=len(spec.members))
        )
    except AwsError as error:
        return PlacementFacts(unread=error.message)

"""Makes what instances need: secrets, key pair, security group, launch template.

Every `ensure_` converges: run again after a crash at any point it finds what is there and adds what is not.
"""

from __future__ import annotations

from dataclasses import dataclass

from fleet.aws.key_pairs import delete_key_pair, describe_key_pairs, import_key_pair
from fleet.aws.launch_templates import (
    create_launch_template,
    create_launch_template_version,
    delete_launch_template,
    describe_launch_templates,
)
from fleet.aws.network import (
    create_security_group,
    delete_security_group,
    describe_security_groups,
    ensure_ingress,
)
from fleet.plan import tags
from fleet.plan.facts.launch import KeyPairFact, LaunchTemplateFact
from fleet.plan.facts.network import SecurityGroupFact
from fleet.plan.launch.plan import Plan
from fleet.plan.record.tokens import Secrets, digest
from fleet.side_by_side import side_by_side
from fleet.ssh.keys import public_line
from fleet.workflows.context import Context
from fleet.workflows.launch.observe import observe_owned
from fleet.workflows.record.make_secrets import ensure_secrets
from fleet.workflows.record.secrets import delete_secrets
from fleet.workflows.retrying import made_or_ours, once_known


@dataclass(frozen=True)
class Prerequisites:
    """What instances are launched with."""

    secrets: Secrets
    template: LaunchTemplateFact


def ensure_prerequisites(context: Context, plan: Plan) -> Prerequisites:
    """Make secrets and key pair beside the security group, then the launch template on top."""
    with side_by_side(1) as pool:
        group = pool.ask(_ensure_security_group, context, plan)
        secrets = ensure_secrets(context, plan.fleet, expires_at=plan.expires_at)
        _ensure_key_pair(context, plan, secrets)
        group_id = group()
    return Prerequisites(secrets, _ensure_launch_template(context, plan, group_id))


def remove_prerequisites(context: Context, fleet: str) -> bool:
    """Take away what was made for instances that did not come; False where there is one after all.

    Raises AwsError where AWS refuses. Whoever calls holds the lease.
    """
    owned = observe_owned(context, fleet)
    if any(instance.live for instance in owned.instances):
        return False
    for template in owned.launch_templates:
        delete_launch_template(context.aws, template_id=template.template_id)
    for group in owned.security_groups:
        delete_security_group(context.aws, group_id=group.group_id)
    for pair in owned.key_pairs:
        delete_key_pair(context.aws, key_pair_id=pair.key_pair_id)
    delete_secrets(context, fleet)
    return True


def _ensure_key_pair(context: Context, plan: Plan, secrets: Secrets) -> None:
    """Have EC2 hold the public half of the fleet's key; a pair of another key is replaced."""
    wanted = public_line(secrets.private_key)
    for pair in plan.owned.key_pairs:
        if pair.public_key == wanted:
            return
        delete_key_pair(context.aws, key_pair_id=pair.key_pair_id)
    name, owned = plan.template.key_name, tags.fleet_tags(plan.fleet)

    def same() -> KeyPairFact | None:
        pairs = describe_key_pairs(context.aws, fleet=plan.fleet)
        return next((p for p in pairs if p.name == name and p.public_key == wanted), None)

    made = made_or_ours(
        context,
        lambda: import_key_pair(context.aws, name=name, public_key=wanted, tags=owned),
        same,
        name=f"key pair {name}",
    )
    context.tell(None, "key pair", "done", f"{name} ({made.key_pair_id})")


def _ensure_security_group(context: Context, plan: Plan) -> str:
    group = next(iter(plan.owned.security_groups), None) or _make_security_group(context, plan)
    if group.ingress != plan.ingress:
        once_known(context, lambda: ensure_ingress(context.aws, group, wanted=plan.ingress))
        sources = ", ".join(sorted({rule.cidr for rule in plan.ingress}))
        context.tell(None, "security group", "done", f"{group.group_id}, open to {sources}")
    return group.group_id


def _make_security_group(context: Context, plan: Plan) -> SecurityGroupFact:
    name, owned = tags.resource_name(plan.fleet), tags.fleet_tags(plan.fleet)

    def same() -> SecurityGroupFact | None:
        groups = describe_security_groups(context.aws, fleet=plan.fleet)
        return next((group for group in groups if group.vpc_id == plan.vpc_id), None)

    return made_or_ours(
        context,
        lambda: create_security_group(context.aws, name=name, vpc_id=plan.vpc_id, tags=owned),
        same,
        name=f"security group {name} of {plan.vpc_id}",
    )


def _ensure_launch_template(
    context: Context, plan: Plan, security_group_id: str
) -> LaunchTemplateFact:
    wanted = digest(plan.template.digest, security_group_id)
    template_tags = tags.fleet_tags(plan.fleet, expires_at=tags.expiry_text(plan.expires_at))
    known = next(iter(plan.owned.launch_templates), None)
    if known is None:
        known = made_or_ours(
            context,
            lambda: create_launch_template(
                context.aws,
                plan.template,
                security_group_id=security_group_id,
                digest=wanted,
                tags=template_tags,
            ),
            lambda: next(iter(describe_launch_templates(context.aws, fleet=plan.fleet)), None),
            name=f"launch template {plan.template.name}",
        )
        context.tell(None, "launch template", "done", f"{known.name} ({known.template_id})")
    if known.digest == wanted:
        return known
    return create_launch_template_version(
        context.aws,
        known,
        plan.template,
        security_group_id=security_group_id,
        digest=wanted,
        tags=template_tags,
    )

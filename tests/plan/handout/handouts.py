"""A fleet to hand out, with names that try what a page, a file and a shell can bear."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from fleet.jupyter.certificates import make_authority
from fleet.plan import tags
from fleet.plan.environment.report import FleetReport, describe_environment
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.handout.aliases import aliases
from fleet.plan.handout.pages import Frame, Overview, Page, PersonalLogin, plan_overview
from fleet.plan.record.certificates import AuthorityFact, authority_lifetime, describe_certificate

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ENDS = datetime(2026, 11, 21, 17, 30, tzinfo=UTC)
TOKEN = "kJ8-_wXq0dGv7sLr2NfYpA5mTzBc9hEuI4oKxV1yWgQ"
LONG = 'Zoë "Å" O\'Brien-Łukasiewicz & <img src=x onerror=alert(1)> Jr'
NAMES = ("ana", LONG, "José", "jose", "王秀英", "{{ 7*7 }} | =cmd`id`$(id)", "عبد الله")


def authority() -> AuthorityFact:
    made = make_authority("workshop", authority_lifetime(now=NOW, expires_at=ENDS))
    found = describe_certificate(made, fleet="workshop")
    assert found is not None
    return found


def instance(member: str, number: int = 7, **more: str) -> InstanceFact:
    return InstanceFact(
        instance_id=f"i-0abc{number:012d}",
        state="running",
        instance_type="g5.xlarge",
        availability_zone="us-east-1a",
        market="on-demand",
        image_id="ami-1",
        public_address=f"203.0.113.{number}",
        private_address=f"172.31.0.{number}",
        launched_at=NOW,
        tags={
            tags.MEMBER: member,
            tags.HOST_KEY: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAA",
            tags.EXPIRES_AT: "2026-11-21T17:30:00Z",
            tags.HOURLY_USD: "1.006",
            **more,
        },
    )


def overview(*members: str, contact: str = "anna@example.org", **more: str) -> Overview:
    """Give a fleet whose environments are ready."""
    instances = [instance(name, number, **more) for number, name in enumerate(members, 7)]
    logins = {
        one.member: PersonalLogin(one, 22, "SHA256:uNiVztksCsDhcc0u9e8BrrJXVUwKPn8Y1X1hJ8vHRsA")
        for one in instances
        if one.member
    }
    report = FleetReport(
        "workshop",
        "us-east-1",
        tuple(describe_environment(one, state="ready", token=TOKEN) for one in instances),
    )
    frame = Frame("workshop", "us-east-1", contact, "fleet", authority(), NOW)
    return plan_overview(report, frame, names=aliases("workshop", members), logins=logins)


def page(member: str = "ana", **more: str) -> Page:
    (one,) = overview(member, **more).pages
    return one


def unready(one: Page, reason: str) -> Page:
    """Give a page of an environment that does not answer."""
    return replace(one, state="unreachable", reason=reason, jupyter_url=None, tensorboard_url=None)

"""The hand-out: a page for each person, and everybody's for whoever runs the fleet. Changes nothing in AWS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fleet.assets.handout_files import load_handout_texts, write_handouts
from fleet.aws.sessions import session_command
from fleet.plan import tags
from fleet.plan.environment.report import FleetReport
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.handout.aliases import aliases
from fleet.plan.handout.pages import Frame, Overview, PersonalLogin, plan_overview
from fleet.plan.handout.text import OVERVIEW, TABLE, render_handouts
from fleet.plan.record.certificates import AuthorityFact
from fleet.ssh.keys import fingerprint
from fleet.workflows.context import Context
from fleet.workflows.environment.status import describe_fleet, live_instances
from fleet.workflows.record.authority import describe_authority


@dataclass(frozen=True)
class Wishes:
    """What whoever runs the fleet says: whom to ask for more, how commands begin, a template of their own."""

    contact: str = ""
    command: str = "fleet"
    template: Path | None = None


@dataclass(frozen=True)
class Handout:
    """A hand-out that was written."""

    folder: Path
    overview: Overview

    def as_json(self) -> dict[str, object]:
        """Give the JSON shape of `fleet handout`."""
        pages = [
            {
                "member": page.member,
                "state": page.state,
                "html": str(self.folder / f"{page.alias}.html"),
                "markdown": str(self.folder / f"{page.alias}.md"),
                "reason": page.reason or None,
            }
            for page in self.overview.pages
        ]
        return {
            "fleet": self.overview.fleet,
            "overview": str(self.folder / OVERVIEW),
            "csv": str(self.folder / TABLE),
            "pages": pages,
        }


def write_handout(
    context: Context, fleet: str, *, folder: Path, wishes: Wishes = Wishes()
) -> Handout:
    """Write everybody's pages into a folder, as the fleet stands now; those of an earlier time are replaced.

    Raises UsageError where a template cannot be used, FleetError where the folder cannot be written.
    """
    texts = load_handout_texts(wishes.template)
    report = describe_fleet(context, fleet).current
    instances = {i.member: i for i in live_instances(context, fleet) if i.member is not None}
    overview = plan_overview(
        report,
        _frame(context, report, wishes, tls=any(i.tls for i in instances.values())),
        names=aliases(fleet, [e.member for e in report.environments if e.member is not None]),
        logins={name: _login(context, one) for name, one in instances.items() if _has_login(one)},
    )
    write_handouts(folder, render_handouts(texts, overview))
    return Handout(folder, overview)


def _frame(context: Context, report: FleetReport, wishes: Wishes, *, tls: bool) -> Frame:
    authority: AuthorityFact | None = None
    if tls:
        authority = describe_authority(context, report.fleet)
    return Frame(
        fleet=report.fleet,
        region=report.region,
        contact=wishes.contact,
        command=wishes.command,
        authority=authority,
        made_at=context.now(),
    )


def _has_login(instance: InstanceFact) -> bool:
    return bool(instance.address and instance.tags.get(tags.HOST_KEY))


def _login(context: Context, instance: InstanceFact) -> PersonalLogin:
    port = context.settings.ssh_port
    session = ""
    if instance.access_path.kind == "ssm":
        words = session_command(context.aws, instance_id=instance.instance_id, port=port)
        session = " ".join(_without_profile(words))
    return PersonalLogin(instance, port, fingerprint(instance.tags[tags.HOST_KEY]), session)


def _without_profile(words: tuple[str, ...]) -> tuple[str, ...]:
    """Leave the caller's AWS profile out: other people's have other names. It stands last."""
    return words[: words.index("--profile")] if "--profile" in words else words

"""What is handed out: one person's page as data, and all pages of a fleet. Pure; `plan.handout_text` renders them."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fleet.plan.environment.report import Environment, FleetReport
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.ports import JUPYTER_PORT, SSH_PORT, TENSORBOARD_PORT
from fleet.plan.record.certificates import AuthorityFact

_HERE = "127.0.0.1"


@dataclass(frozen=True)
class Frame:
    """What all pages of a fleet share.

    `contact` is whom to ask for more, empty for whoever gave the page. `command` is how commands begin: `fleet`, with
    global options. `authority` is None where the services speak plain HTTP.
    """

    fleet: str
    region: str
    contact: str
    command: str
    authority: AuthorityFact | None
    made_at: datetime


@dataclass(frozen=True)
class PersonalLogin:
    """What a person's own SSH client needs. `session` is the ProxyCommand of Systems Manager, empty without it."""

    instance: InstanceFact
    port: int
    fingerprint: str
    session: str = ""


@dataclass(frozen=True)
class Page:
    """One person's page: the names that a template may use, as `page.…`.

    URLs are None where the environment is not ready; they are at 127.0.0.1 where `tunnel`, a command, leads there.
    `ssh` is empty where nobody can log in yet. `mail` says whether `contact` is an e-mail address. `extend` is the
    command that gives more time, empty without an end.
    """

    fleet: str
    region: str
    member: str
    alias: str
    state: str
    reason: str
    instance_type: str | None
    hourly_usd: Decimal | None
    expires_at: datetime | None
    jupyter_url: str | None
    tensorboard_url: str | None
    private: bool
    tunnel: str
    session: bool
    ssh: str
    fingerprint: str
    contact: str
    extend: str
    authority: AuthorityFact | None

    @property
    def mail(self) -> bool:
        """Whether the contact is an e-mail address."""
        name, at, domain = self.contact.partition("@")
        return bool(name and at and "." in domain) and not set(self.contact) & set(" ,;<>")

    @property
    def qr_text(self) -> str:
        """What the QR code says: the link, where another device can open it."""
        return "" if self.tunnel or self.jupyter_url is None else self.jupyter_url

    @property
    def authority_file(self) -> str:
        """Name of the certificate's file. Windows opens its own wizard for .crt."""
        return f"{self.fleet}-ca.crt"

    @property
    def authority_base64(self) -> str:
        """The certificate's PEM, for a link that holds its own data."""
        pem = self.authority.certificate if self.authority else ""
        return base64.b64encode(pem.encode()).decode()


@dataclass(frozen=True)
class Overview:
    """Everybody's page, for whoever runs the fleet: the names that its template may use, as `overview.…`."""

    fleet: str
    region: str
    made_at: datetime
    hourly_usd: Decimal | None
    again: str
    pages: tuple[Page, ...]

    @property
    def ready(self) -> int:
        """How many are ready."""
        return sum(page.state == "ready" for page in self.pages)


def plan_overview(
    report: FleetReport,
    frame: Frame,
    *,
    names: Mapping[str, str],
    logins: Mapping[str, PersonalLogin],
) -> Overview:
    """Give everybody's page; `names` are aliases and `logins` SSH's side, both by member."""
    pages = [
        _page(one, frame, one.member, alias=names[one.member], login=logins.get(one.member))
        for one in report.environments
        if one.member is not None
    ]
    pages.sort(key=lambda page: page.alias)
    again = f"{frame.command} handout {report.fleet} --out …"
    return Overview(
        report.fleet, report.region, frame.made_at, report.hourly_usd, again, tuple(pages)
    )


def _page(
    one: Environment, frame: Frame, member: str, *, alias: str, login: PersonalLogin | None
) -> Page:
    instance = login.instance if login else None
    tunnelled = instance is not None and instance.access_path.tunnelled
    return Page(
        fleet=frame.fleet,
        region=frame.region,
        member=member,
        alias=alias,
        state=one.state,
        reason=one.reason,
        instance_type=one.instance_type,
        hourly_usd=one.hourly_usd,
        expires_at=one.expires_at,
        jupyter_url=_local(one.jupyter_url, one.address, tunnelled=tunnelled),
        tensorboard_url=_local(one.tensorboard_url, one.address, tunnelled=tunnelled),
        private=instance is not None and instance.access_path.kind == "direct",
        tunnel=_ssh(login, forward=True) if login and tunnelled else "",
        session=bool(login and login.session),
        ssh=_ssh(login) if login else "",
        fingerprint=login.fingerprint if login else "",
        contact=frame.contact,
        extend=_extend(frame, member) if one.expires_at else "",
        authority=frame.authority if instance is not None and instance.tls else None,
    )


def _local(url: str | None, address: str | None, *, tunnelled: bool) -> str | None:
    if url is None or not tunnelled:
        return url
    return url.replace(f"://{address}:", f"://{_HERE}:", 1)


def _extend(frame: Frame, member: str) -> str:
    return f"{frame.command} extend {frame.fleet} 2h --member {shlex.quote(member)}"


def _ssh(login: PersonalLogin, *, forward: bool = False) -> str:
    """Write the command of OpenSSH's client, in words that every shell takes alike, Windows' own too."""
    instance = login.instance
    words = ["ssh"]
    if forward:
        words.append("-N")
        for port in (JUPYTER_PORT, TENSORBOARD_PORT):
            words += ["-L", f"{port}:{instance.private_address}:{port}"]
    if login.port != SSH_PORT:
        words += ["-p", str(login.port)]
    if instance.access_path.kind == "bastion":
        words += ["-J", instance.access_path.bastion]
    if login.session:
        words += ["-o", f'"ProxyCommand={login.session}"']
    return " ".join([*words, f"{instance.account}@{instance.address}"])

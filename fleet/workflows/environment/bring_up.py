"""Turns one running instance into a ready environment: connect, bootstrap, prove, record.

One host's failure is its own: it spoils no other.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from fleet.assets.shipped import load_texts
from fleet.errors import BootstrapError, FleetError, HostError, ProofError, UnreachableError
from fleet.jupyter.certificates import issue_certificate
from fleet.jupyter.proof import prove
from fleet.plan import tags
from fleet.plan.environment.bootstrap import HostBootstrap, render_bootstrap
from fleet.plan.environment.failures import service_failure, step_failure, step_overdue
from fleet.plan.environment.proofs import Proof, proof_text
from fleet.plan.environment.report import Environment, describe_environment
from fleet.plan.environment.request import BootstrapRequest
from fleet.plan.environment.rotation import generation_of
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.record.certificates import certificate_names, certificate_serves
from fleet.plan.record.tokens import Secrets
from fleet.ssh.connection import OpenHost, open_host
from fleet.ssh.execute import READ_SCRIPT, execute, framed
from fleet.ssh.keys import PrivateKey, fingerprint
from fleet.ssh.progress import parse_step
from fleet.workflows.context import Context
from fleet.workflows.environment.claim import Claim
from fleet.workflows.environment.connect import endpoint_through, new_host_of, services_answer
from fleet.workflows.environment.endpoint import member_token
from fleet.workflows.record.tagging import put_tags

_LOG_LINES = 20
_SHORT_SECONDS = 20
_SHOW_CERTIFICATE = "sed -n '/BEGIN CERTIFICATE/,$p' {home}/.fleet/server.pem 2>/dev/null; true"


@dataclass(frozen=True)
class HostWork:
    """One host to bring up. `instance` runs and has an address; `claim` are the tags that make it the member's.

    `gpus` are those that its type promises, `payload` the files that come along and `remote_files` their names. With
    `again`, what was done once is done once more.
    """

    member: str
    request: BootstrapRequest
    gpus: int
    instance: InstanceFact
    claim: dict[str, str]
    secrets: Secrets
    private_key: PrivateKey
    remote_files: tuple[str, ...] = ()
    payload: bytes = b""
    again: bool = False

    @property
    def token(self) -> str:
        """The person's token."""
        return member_token(self.secrets.fleet_secret, self.instance, self.member)


def bring_up(context: Context, work: HostWork) -> Environment:
    """Bring one environment up; a failure becomes its state and reason, never an exception."""
    name = work.member
    if _in_place(context, work):
        context.tell(name, "ready", "done", "in place")
        return describe_environment(work.instance, state="ready", token=work.token)
    try:
        proof = _bootstrap_and_prove(context, work)
    except FleetError as error:
        if context.interrupted.is_set():  # broken off, which is no fault of the host
            return describe_environment(work.instance, state="starting", reason="interrupted")
        context.tell(name, "failed", "failed", str(error))
        for line in error.log if isinstance(error, HostError) else ():
            context.tell(name, "log", "note", line)
        return describe_environment(work.instance, state="failed", reason=str(error))
    context.tell(name, "ready", "done", proof.words)
    return describe_environment(work.instance, state="ready", token=work.token, proof=proof)


def _in_place(context: Context, work: HostWork) -> bool:
    """Whether the very bootstrap of the plan is done already and its services answer."""
    same = work.instance.tags.get(tags.BOOTSTRAP) == work.request.bootstrap_id
    return (not work.again and not work.claim and same) and services_answer(
        context,
        work.instance,
        work.secrets,
        token=work.token,
        timeout=context.deadlines.look,
    )


def _bootstrap_and_prove(context: Context, work: HostWork) -> Proof:
    name, until = work.member, context.clock() + context.deadlines.ready
    context.tell(name, "ssh", "running")
    with _claimed(context, work, until=until) as opened:
        _bootstrap(context, work, opened, until=until)
        context.tell(name, "prove", "running")
        proof = _prove(context, work, opened, until=until)
    shown = {
        tags.BOOTSTRAP: work.request.bootstrap_id,
        tags.ACCOUNT: work.request.account or work.instance.login_user,
        tags.PROOF: proof_text(proof),
        tags.TOKEN_ON_HOST: str(generation_of(work.instance)),
    }
    put_tags(context, work.instance, shown)
    return proof


@contextmanager
def _claimed(context: Context, work: HostWork, *, until: float) -> Iterator[OpenHost]:
    """Open the host's connection. The instance is the member's by then, and also where no connection comes."""
    claim = Claim(context, work.instance, work.claim)
    try:
        with open_host(
            new_host_of(context, work.instance, work.private_key),
            deadline=min(until, context.clock() + context.deadlines.ssh),
            clock=context.clock,
            sleep=claim.sleep,
            cancelled=context.interrupted.is_set,
        ) as opened:
            _record(context, work, claim, opened)
            yield opened
    finally:
        claim.put()


def _record(context: Context, work: HostWork, claim: Claim, opened: OpenHost) -> None:
    """Pin the host key, verified on first contact, in the instance's tag for every colleague, and say so."""
    if work.instance.tags.get(tags.HOST_KEY):
        claim.put()
        return
    claim.put({tags.HOST_KEY: opened.host_key})
    context.tell(work.member, "host key", "note", _verified(opened.host_key))


def _verified(host_key: str) -> str:
    return f"{fingerprint(host_key)}, verified by the console output"


def _bootstrap(context: Context, work: HostWork, opened: OpenHost, *, until: float) -> None:
    script = render_bootstrap(
        load_texts(),
        work.request,
        host=HostBootstrap(
            member=work.member,
            token=work.token,
            tls=work.instance.tls,
            certificate=_new_certificate(context, work, opened),
            bind_address=work.instance.private_address or "",
            remote_files=work.remote_files,
            expires_at=work.instance.expires_at,
            spot=work.instance.market == "spot",
        ),
        again=work.again,
    )
    log: list[str] = []
    failed = ["start"]

    def on_line(line: str) -> None:
        step = parse_step(line)
        if step is None:
            return
        if step.state == "log":
            log.append(step.detail)
            return
        failed[0] = step.name
        if step.state in {"running", "note"}:
            context.tell(work.member, step.name, step.state, step.detail)

    deadline = min(until, context.clock() + context.deadlines.bootstrap)
    try:
        outcome = execute(
            opened,
            READ_SCRIPT,
            stdin=framed(script, work.payload),
            deadline=deadline,
            on_line=on_line,
            clock=context.clock,
            cancelled=context.interrupted.is_set,
        )
    except UnreachableError as error:
        if context.clock() < deadline:
            raise
        overdue = step_overdue(failed[0])
        raise BootstrapError(overdue.why, remedy=overdue.remedy) from error
    if outcome.exit_status != 0:
        tail = log or outcome.stderr.splitlines()
        fleet, member = work.instance.fleet or "", shlex.quote(work.member)
        reason = step_failure(failed[0], outcome.exit_status, tail, fleet=fleet, member=member)
        raise BootstrapError(reason.why, remedy=reason.remedy, log=tuple(tail[-_LOG_LINES:]))


def _new_certificate(context: Context, work: HostWork, opened: OpenHost) -> str | None:
    """Issue a certificate, unless the host has one that serves: for all its names of now, by the authority of now."""
    if not work.instance.tls:
        return None
    account = work.request.account
    show = _SHOW_CERTIFICATE.format(home=f"/home/{account}" if account else "~")
    there = execute(
        opened,
        f"sudo -n {show}" if account else show,
        deadline=context.clock() + _SHORT_SECONDS,
        clock=context.clock,
    ).stdout
    names, authority = certificate_names(work.instance), work.secrets.authority
    if certificate_serves(there, names=names, authority=authority, now=context.now()):
        return None
    return issue_certificate(authority, names)


def _prove(context: Context, work: HostWork, opened: OpenHost, *, until: float) -> Proof:
    try:
        with endpoint_through(opened, work.instance, work.secrets.authority) as endpoint:
            return prove(
                endpoint,
                token=work.token,
                gpus=work.gpus,
                now=context.now(),
                deadline=min(until, context.clock() + context.deadlines.proof),
                clock=context.clock,
                sleep=context.sleep,
            )
    except ProofError as error:
        log = _service_log(context, opened)
        reason = service_failure(error.message, error.remedy, log)
        raise ProofError(reason.why, remedy=reason.remedy, log=log[-_LOG_LINES:]) from error


def _service_log(context: Context, opened: OpenHost) -> tuple[str, ...]:
    """Fetch the services' last lines; without them the failure is told all the same."""
    command = (
        "sudo -n journalctl --no-pager -o cat -n 100 -u fleet-jupyter.service "
        "-u fleet-tensorboard.service -u fleet-tensorboard-gate.service"
    )
    with suppress(HostError):
        outcome = execute(
            opened, command, deadline=context.clock() + _SHORT_SECONDS, clock=context.clock
        )
        return tuple(outcome.stdout.splitlines())
    return ()

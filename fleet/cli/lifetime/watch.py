"""`fleet watch`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet.cli.interrupts import interruptible
from fleet.cli.launch.partial_view import Offers, echo_partial_fleet
from fleet.cli.launch.planning import make_plan
from fleet.cli.options import confirm, output_option, parse_flag, yes_option
from fleet.cli.session import Globals, open_context
from fleet.cli.spec_flags import Flags, flag_options, read_wanted
from fleet.errors import EXIT_DONE, EXIT_PARTLY, FleetError, UsageError
from fleet.plan.tags import expiry_text

if TYPE_CHECKING:
    from fleet.plan.lifetime.survey import WatchEvent
    from fleet.spec.model import FleetSpec
    from fleet.workflows.context import Context
    from fleet.workflows.events import Event
    from fleet.workflows.lifetime.watch import Watch

_SHORTEST_SECONDS = 1.0


@click.command("watch", short_help="Keep a fleet at its size: replace what is lost.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--once", is_flag=True, help="Look and act one time, for cron.")
@click.option("--every", default="30s", show_default=True, metavar="30s", help="Between two looks.")
@click.option(
    "--ready-within",
    metavar="15m",
    help="Give an environment up that is not ready so long after its instance runs.",
)
@yes_option
@flag_options
@output_option("text", "json")
@click.pass_obj
def command(
    options: Globals,
    *,
    spec: Path,
    flags: Flags,
    once: bool,
    every: str,
    ready_within: str | None,
    yes: bool,
    output: str,
) -> int:
    """Keep the fleet that SPEC describes at its size until stopped: what EC2 takes back, what died, and what is missing
    is launched anew under the same name and token, as `fleet up` would do it. One line for each event, on stdout.

    Never more than SPEC says, never beyond its max_price, never past the fleet's expiry. What switched itself off
    (idle, expiry) or was taken away (`fleet down`) stays so. Where EC2 has no capacity it is tried again, later
    each time. The price is confirmed once, at the start.

    Exit code 0 when the fleet's time is over or it was taken away, 130 after Ctrl-C; with --once 0 when nobody lacks
    an environment any more, 3 when somebody does.

    \b
    Examples:
      fleet watch workshop.yaml
      fleet watch workshop.yaml --yes -o json >> watch.log
      */5 * * * *  fleet watch workshop.yaml --once --yes >> watch.log
    """
    seconds = _seconds("--every", every)
    if seconds is None or seconds < _SHORTEST_SECONDS:
        raise UsageError(f"--every {every} is too short", remedy="write 1s or more")
    wanted = read_wanted(options, spec, flags)
    context = _open(options, wanted, ready=_seconds("--ready-within", ready_within))
    if not (yes or options.sandbox):
        _ask(context, wanted, spec, options=options)

    from fleet.workflows.lifetime.watch import Watch  # past the spec's faults

    watch = Watch(context, wanted, folder=spec.absolute().parent, every=seconds)
    offers = Offers(
        again=f"`{options.command} up {spec}`",
        down=f"`{options.command} down {wanted.name}`",
        handout=f"`{options.command} handout {wanted.name} --out {wanted.name}`",
    )
    _run(context, watch, offers, once=once, output=output)
    return EXIT_PARTLY if once and watch.short else EXIT_DONE


def _seconds(flag: str, text: str | None) -> float | None:
    from fleet.spec.values import parse_duration

    duration = parse_flag(flag, text, parse_duration)
    return None if duration is None else duration.total_seconds()


def _open(options: Globals, wanted: FleetSpec, *, ready: float | None) -> Context:
    opened = open_context(options, on_event=_tell, spec_region=wanted.region)
    if ready is None:
        return opened
    return dataclasses.replace(opened, deadlines=dataclasses.replace(opened.deadlines, ready=ready))


def _ask(context: Context, wanted: FleetSpec, spec: Path, *, options: Globals) -> None:
    """Show what the whole fleet may cost, and ask whether to keep it so."""
    from fleet.cli.launch.plan_view import echo_plan
    from fleet.plan.launch.prerequisites import require_intact

    plan = make_plan(context, wanted, spec)
    require_intact(plan.owned, fleet=plan.fleet)
    echo_plan(plan, now=context.now(), err=True)
    confirm("Keep it at this size?", yes=False, options=options)


def _run(context: Context, watch: Watch, offers: Offers, *, once: bool, output: str) -> None:
    """Print event after event; whatever goes wrong, say what exists by then and what it costs."""
    left = f"left at once; instances may run or come yet: {offers.again} goes on, {offers.down} takes all away"
    with interruptible(left):
        try:
            for event in watch.events(once=once):
                _echo(event, output)
        except (KeyboardInterrupt, FleetError):
            if watch.acting is not None:
                echo_partial_fleet(context, watch.acting, offers)
            raise


def _tell(event: Event) -> None:
    """Say on stderr what a replacement waits for, and what EC2 answers; the steps on its host are no events here."""
    if event.member is None and (event.state == "note" or event.step == "lease"):
        click.echo(f"· {event.step}: {event.detail}", err=True)


def _echo(event: WatchEvent, output: str) -> None:
    """Print one line; click writes it out at once, also into a pipe."""
    if output == "json":
        click.echo(json.dumps(event.as_json(), ensure_ascii=False))
        return
    who = f"{event.member}: " if event.member else ""
    where = (
        f"{event.instance_id}: " if event.kind in {"lost", "resting"} and event.instance_id else ""
    )
    click.echo(f"{expiry_text(event.at)} {event.kind:<9} {who}{where}{event.detail}")

"""`fleet handout`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet.cli.options import output_option
from fleet.cli.output import echo_json, echo_table
from fleet.cli.session import Globals, open_context
from fleet.errors import EXIT_DONE, EXIT_PARTLY

if TYPE_CHECKING:
    from fleet.workflows.handout.pages import Handout


@click.command("handout", short_help="Write a page for each person, to hand out.")
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder for the pages; it is made where it is not there.",
)
@click.option(
    "--contact",
    default="",
    metavar="TEXT",
    help="Whom to ask for more time, such as an e-mail address.",
)
@click.option(
    "--template",
    type=click.Path(path_type=Path),
    help="A Jinja template of your own in the place of the HTML page's (docs/handout.md).",
)
@output_option("table", "json")
@click.pass_obj
def command(
    options: Globals, *, name: str, out: Path, contact: str, template: Path | None, output: str
) -> int:
    """Write a page for each member of fleet NAME into DIR: links, QR code, trust, SSH, VS Code, when it ends.

    Each page is one HTML file that works offline and prints on one sheet, and the same in Markdown. For
    yourself there are overview.html and overview.csv, with everybody's state. They carry the tokens: files
    are readable by you alone, and each person gets their own page only. Run it again at any time.

    \b
    Examples:
      fleet handout workshop --out handout
      fleet handout workshop --out handout --contact anna@example.org
      fleet handout workshop --out handout --template our-page.html.j2
    """
    from fleet.cli.progress import working
    from fleet.workflows.handout.pages import Wishes, write_handout

    context = open_context(options)
    wishes = Wishes(contact=contact.strip(), template=template, command=options.command)
    with working("looking at every environment"):
        written = write_handout(context, name, folder=out, wishes=wishes)
    _echo(written, output)
    overview = written.overview
    return EXIT_DONE if overview.ready == len(overview.pages) else EXIT_PARTLY


def _echo(written: Handout, output: str) -> None:
    if output == "json":
        echo_json(written.as_json())
        return
    from fleet.plan.handout.text import OVERVIEW

    overview = written.overview
    rows = [
        (page.member, page.state, str(written.folder / f"{page.alias}.html"), page.reason)
        for page in overview.pages
    ]
    echo_table(("MEMBER", "STATE", "PAGE", "REASON"), rows)
    click.echo(
        f"{overview.ready} of {len(rows)} ready; everybody's: {written.folder / OVERVIEW}", err=True
    )

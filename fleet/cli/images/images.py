"""`fleet images`."""

from __future__ import annotations

from datetime import date

import click

from fleet.cli.options import output_option, parse_flag
from fleet.cli.output import echo_json, echo_table
from fleet.cli.session import Globals, open_context

_FRAMEWORKS = ("pytorch", "tensorflow", "mxnet", "base", "multi", "neuron", "habana", "qualcomm")


@click.command("images", short_help="List the Deep Learning AMIs of the region.")
@click.option(
    "--framework", type=click.Choice(_FRAMEWORKS), help="Only with this framework, or of this kind."
)
@click.option(
    "--version", metavar="V", help="Only this version of the framework, whole or its first parts."
)
@click.option("--os", "os_", metavar="OS", help="Only this system, for instance ubuntu-24.04.")
@click.option("--arch", type=click.Choice(["x86_64", "arm64"]), help="Only this architecture.")
@click.option(
    "--driver", type=click.Choice(["oss", "proprietary"]), help="Only with this NVIDIA driver."
)
@click.option("--for", "for_", metavar="TYPE", help="Only what can drive this instance type.")
@click.option("--include-deprecated", is_flag=True, help="Older ones too, which EC2 hides.")
@output_option("table", "json")
@click.pass_obj
def command(
    options: Globals,
    *,
    framework: str | None,
    version: str | None,
    os_: str | None,
    arch: str | None,
    driver: str | None,
    for_: str | None,
    include_deprecated: bool,
    output: str,
) -> None:
    """List the Deep Learning AMIs that AWS publishes, the newest first.

    \b
    Examples:
      fleet images --framework pytorch --for g5.xlarge
      fleet images --framework pytorch --version 2.10 --arch arm64
      fleet images --framework tensorflow --include-deprecated -o json
    """
    from fleet.plan.images.listing import ImageQuery
    from fleet.spec.rules import version as parse_version
    from fleet.workflows.images.listing import list_images

    parse_flag("--version", version, parse_version)
    context = open_context(options)
    query = ImageQuery(framework, version, os_, arch, driver, for_, include_deprecated)
    found = list_images(context, query)
    if output == "json":
        echo_json({"images": [each.as_json() for each in found]})
        return
    if not found:
        stopped = "; AWS stopped publishing MXNet images" if framework == "mxnet" else ""
        more = "" if include_deprecated else "; older ones: --include-deprecated"
        click.echo(f"no such Deep Learning AMI in {context.aws.region}{stopped}{more}", err=True)
        return
    echo_table(
        ("ID", "FRAMEWORK", "VERSION", "OS", "ARCH", "DRIVER", "BUILT", "PATCHED UNTIL"),
        [
            (
                each.image.image_id,
                each.what,
                each.name.framework_version or "-",
                each.name.os,
                each.image.architecture,
                each.name.driver or "-",
                f"{each.image.created_at:%Y-%m-%d} ({each.age_days} d ago)",
                _patched(each.patched_until, today=context.now().date()),
            )
            for each in found
        ],
    )


def _patched(until: date | None, *, today: date) -> str:
    if until is None:
        return "not known"
    return f"{until}{' (ended)' if until < today else ''}"

"""Prints baked images: the list, one image, what differs between two, copies, and what a removal takes away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from fleet.cli.output import echo_table, usd
from fleet.plan import tags
from fleet.plan.bake.ami_list import AmiDiff, ListedAmi, ListedAmis, ShownAmi
from fleet.plan.bake.manifest import Change, Manifest, SectionDiff
from fleet.plan.teardown.sweep import age_text
from fleet.spec.values import format_duration
from fleet.workflows.bake.ami_copies import Copied
from fleet.workflows.bake.amis import Removal

_HEADINGS = (
    "RECIPE", "AMI", "STATUS", "BASE", "AGE", "DEPRECATED", "SIZE", "USD/MONTH", "SHARED WITH", "USED BY",
)  # fmt: skip
_SHOWN = 2
_KIB_PER_MIB = 1024
_KIB_PER_GIB = 1024 * 1024


def echo_listed(found: ListedAmis, recipe: str | None) -> None:
    """Print the list; on stderr what is to be said besides."""
    if found.images:
        echo_table(_HEADINGS, [_row(each) for each in found.images])
    else:
        of_recipe = f" of recipe {recipe}" if recipe else ""
        click.echo(f"no baked image{of_recipe} in {found.region}", err=True)
    if found.loose:
        ids = ", ".join(one.snapshot_id for one in found.loose)
        click.secho(
            f"snapshots that no image needs any more, of a removal that was broken off: {ids}; "
            "`fleet amis rm` with the image's id goes on",
            fg="yellow",
            err=True,
        )


def _row(each: ListedAmi) -> Sequence[str]:
    return (
        each.recipe,
        each.image.image_id,
        each.status,
        each.base or "-",
        age_text(each.age),
        f"{each.image.deprecated_at:%Y-%m-%d}" if each.image.deprecated_at else "-",
        f"{each.size_gib} GiB",
        usd(each.monthly_usd, per=""),
        ", ".join(each.shared_with) or "-",
        _few(each.used_by),
    )


def _status(each: ListedAmi) -> str:
    at = each.image.deprecated_at
    if at is None:
        return each.status
    return f"{each.status}, deprecated from {tags.expiry_text(at)} on"


def _few(users: Sequence[str]) -> str:
    """The first ones, and how many more there are: a class of thirty is one line still."""
    more = len(users) - _SHOWN
    told = ", ".join(users[:_SHOWN]) or "-"
    return f"{told} and {more} more" if more > 0 else told


def echo_shown(shown: ShownAmi, *, packages: bool) -> None:
    """Print one image, a line for each thing that is known of it."""
    for key, value in _facts(shown):
        click.echo(f"{key:<12}{value}")
    if shown.manifest is None:
        click.echo("no list of its packages is kept", err=True)
        return
    click.echo()
    _echo_packages(shown.manifest, each=packages)


def _facts(shown: ShownAmi) -> Iterable[tuple[str, str]]:
    listed = shown.listed
    image, told = listed.image, listed.image.tags.get
    yield "image", f"{image.image_id} ({image.name})"
    yield "recipe", f"{listed.recipe}, content {told(tags.RECIPE_DIGEST, 'not known')}"
    yield "status", _status(listed)
    if reason := image.state_reason:
        yield "reason", reason
    yield "base", f"{told(tags.BASE_IMAGE, 'not known')} ({told(tags.BASE_NAME, 'no name')})"
    took = f", in {format_duration(listed.baked_for)}" if listed.baked_for else ""
    yield "baked", f"{tags.expiry_text(image.created_at)} ({age_text(listed.age)} ago){took}"
    if promoted := told(tags.PROMOTED_AT):
        yield "promoted", promoted
    encrypted = "encrypted" if image.encrypted else "not encrypted"
    price = usd(listed.monthly_usd, per="month")
    yield "size", f"{listed.size_gib} GiB {image.architecture}, {encrypted}, at most {price}"
    yield "shared with", ", ".join(listed.shared_with) or "nobody"
    yield "used by", ", ".join(listed.used_by) or "nobody"
    for copy in shown.copies or ():
        yield "copy", f"{copy.region} {copy.image_id} {copy.status}"
    if shown.copies == ():
        yield "copy", "none in another region"


def _echo_packages(manifest: Manifest, *, each: bool) -> None:
    click.echo(f"{manifest.system}, {_size(manifest.used_mib * _KIB_PER_MIB)} on its disk")
    if each:
        rows = [
            (where, name, package.version, _size(package.kib))
            for where, found in manifest.sections.items()
            for name, package in sorted(found.items())
        ]
        echo_table(("WHERE", "PACKAGE", "VERSION", "SIZE"), rows)
        return
    sums = [
        (where, str(len(found)), _size(sum(package.kib for package in found.values())))
        for where, found in manifest.sections.items()
    ]
    echo_table(("WHERE", "PACKAGES", "SIZE"), sums)


def echo_diff(found: AmiDiff) -> None:
    """Print what changed, place by place, and the totals."""
    packages = found.packages
    before, after = packages.before, packages.after
    if before.system != after.system:
        click.echo(f"system: {before.system} -> {after.system}")
    rows = [_changed(section, change) for section in packages.sections for change in _all(section)]
    if rows:
        echo_table(("WHERE", "CHANGE", "PACKAGE", "BEFORE", "AFTER", "SIZE"), rows)
    for section in packages.sections:
        counts = (
            f"{len(section.added)} added, {len(section.removed)} removed, "
            f"{len(section.changed)} changed"
        )
        click.echo(f"{section.where}: {counts}, {_size(section.kib, signed=True)}")
    if packages.same:
        click.echo("the same packages")
    click.echo(f"on the disk: {_size(packages.used_mib * _KIB_PER_MIB, signed=True)}")


def _all(section: SectionDiff) -> Sequence[Change]:
    return (*section.added, *section.removed, *section.changed)


def _changed(section: SectionDiff, change: Change) -> Sequence[str]:
    kind = "added" if change.before is None else "removed" if change.after is None else "changed"
    return (
        section.where,
        kind,
        change.name,
        change.before.version if change.before else "-",
        change.after.version if change.after else "-",
        _size(change.kib, signed=True),
    )


def echo_copies(copies: Iterable[Copied]) -> None:
    """Print where there is a copy now; on stderr where there is none, and why."""
    for each in copies:
        if each.trouble:
            click.secho(f"{each.region}: {each.trouble}", fg="red", err=True)
        else:
            click.echo(f"{each.region}: {each.image_id}{'' if each.made else ', there already'}")


def echo_removal(removal: Removal, *, region: str) -> None:
    """Say on stderr what a removal takes away."""
    for image in removal.images:
        count = len(image.snapshot_ids)
        with_snapshots = f" with {count} snapshot{'' if count == 1 else 's'}"
        click.echo(
            f"removing {image.image_id} ({image.name}){with_snapshots} in {region}", err=True
        )
    for image_id in removal.gone:
        click.echo(f"{image_id} is gone already", err=True)
    for one in removal.snapshots:
        click.echo(f"removing {one.snapshot_id}, which no image needs any more", err=True)


def _size(kib: int, *, signed: bool = False) -> str:
    """Write a size in KiB for people."""
    sign = "+" if signed and kib > 0 else ""
    if abs(kib) >= _KIB_PER_GIB:
        return f"{sign}{kib / _KIB_PER_GIB:.1f} GiB"
    if abs(kib) >= _KIB_PER_MIB:
        return f"{sign}{kib / _KIB_PER_MIB:.1f} MiB"
    return f"{sign}{kib} KiB"

"""The reference page of a spec or a recipe, as Markdown.

Takes the table of keys, gives one table for each map: key, form, default, meaning, example.
"""

from __future__ import annotations

from collections.abc import Iterator

from fleet.spec.forms import (
    Form,
    Items,
    Key,
    Keys,
    Measure,
    Pairs,
    Switch,
    Table,
    Text,
    Texts,
    Whole,
    kind_of,
)

_HEAD = "| Key | Form | Default | Meaning | Example |\n|---|---|---|---|---|\n"
_FORMS: dict[type[Form], str] = {
    Text: "text",
    Measure: "text",
    Switch: "true or false",
    Texts: "list of texts",
    Pairs: "map of texts",
    Keys: "map",
    Items: "list of maps",
}
_ONE_OF = "Exactly one of {} is needed.\n"


def reference(table: Table) -> str:
    """Sections for the whole file and for each map in it."""
    return "\n".join((_section("Top level", table.root), *_sections(table.root, "")))


def _sections(form: Keys, path: str) -> Iterator[str]:
    for key in form.keys:
        if isinstance(key.form, Keys):
            yield _section(f"`{path}{key.name}`", key.form)
            yield from _sections(key.form, f"{path}{key.name}.")
        if isinstance(key.form, Items):
            for kind in key.form.kinds:
                yield _section(f"`{path}{key.name}`, a {key.form.item} `{kind_of(kind)}`", kind)


def _section(title: str, form: Keys) -> str:
    single = {group[0] for group in form.shape.one_of if len(group) == 1}
    rows = "".join(_row(key, one_of=key.name in single) for key in form.keys)
    names = [_group(group) for group in form.shape.one_of]
    rule = "\n" + _ONE_OF.format(f"{', '.join(names[:-1])} and {names[-1]}") if names else ""
    short = f"\nA bare value stands for `{form.shape.short}`.\n" if form.shape.short else ""
    return f"## {title}\n{rule}{short}\n{_HEAD}{rows}"


def _group(names: tuple[str, ...]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"any of ({', '.join(quoted)})"


def _row(key: Key, *, one_of: bool) -> str:
    default = (
        "one of these" if one_of else "**required**" if key.required else key.default or "none"
    )
    example = f"`{key.name}: {key.doc.example}`" + (f" or `{key.doc.also}`" if key.doc.also else "")
    cells = (f"`{key.name}`", _form(key.form), default, key.doc.about, example)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _form(form: Form) -> str:
    if isinstance(form, Text) and form.choices:
        return ", ".join(f"`{choice}`" for choice in form.choices)
    if isinstance(form, Whole):
        return f"{form.least} to {form.most}"
    if isinstance(form, Measure) and form.numeric:
        return "number"
    if isinstance(form, Keys) and form.shape.short:
        return f"map, or `{form.shape.short}` alone"
    return _FORMS[type(form)]

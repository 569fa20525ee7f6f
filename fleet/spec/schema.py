"""The JSON Schema of a spec or a recipe, for editors: completion, hover texts and red lines while typing.

Takes the table of keys, gives a schema of the draft 2020-12. It sees what a schema can see: rules
between two values, other files and duplicates beyond a list are the loaders'.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

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
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def json_schema(table: Table) -> dict[str, object]:
    """The schema of the file as a person writes it."""
    return {
        "$schema": DIALECT,
        "$id": table.urn,
        "title": table.title,
        "description": table.about,
        **_keys(table.root),
    }


def _key(key: Key) -> Schema:
    schema = _FORMS[type(key.form)](key.form)
    if key.doc.also:
        schema = {"anyOf": [schema, {"const": key.doc.also}]}
    if key.nullable:
        schema = {"anyOf": [schema, {"type": "null"}]}
    about = key.doc.about + (f" Default: {key.default}." if key.default else "")
    examples = [yaml.safe_load(key.doc.example), *([key.doc.also] if key.doc.also else [])]
    return {"description": about, "examples": examples, **schema}


def _keys(form: Form) -> Schema:
    if not isinstance(form, Keys):
        raise TypeError(form)
    schema: Schema = {
        "type": "object",
        "properties": {key.name: _key(key) for key in form.keys},
        "additionalProperties": False,
    }
    if required := [key.name for key in form.keys if key.required]:
        schema["required"] = required
    if needs := {key.name: [key.doc.needs] for key in form.keys if key.doc.needs}:
        schema["dependentRequired"] = needs
    if form.shape.one_of:
        schema["oneOf"] = [_any_of(group) for group in form.shape.one_of]
    if not form.shape.short:
        return schema
    short = next(key for key in form.keys if key.name == form.shape.short)
    return {"anyOf": [_FORMS[type(short.form)](short.form), schema]}


def _any_of(names: tuple[str, ...]) -> Schema:
    if len(names) == 1:
        return {"required": list(names)}
    return {"anyOf": [{"required": [name]} for name in names]}


def _text(form: Form) -> Schema:
    schema: Schema = {"type": "string", "minLength": 1}
    if isinstance(form, Text) and form.choices:
        schema = {"enum": list(form.choices)}
    elif isinstance(form, Text) and form.pattern:
        schema["pattern"] = form.pattern
    return schema


def _whole(form: Form) -> Schema:
    if not isinstance(form, Whole):
        raise TypeError(form)
    return {"type": "integer", "minimum": form.least, "maximum": form.most}


def _measure(form: Form) -> Schema:
    if isinstance(form, Measure) and form.numeric:
        return {"type": "number", "exclusiveMinimum": 0}
    pattern = form.pattern if isinstance(form, Measure) else ""
    return {"type": "string", "pattern": pattern}


def _switch(form: Form) -> Schema:
    if not isinstance(form, Switch):
        raise TypeError(form)
    return {"type": "boolean"}


def _texts(form: Form) -> Schema:
    if not isinstance(form, Texts):
        raise TypeError(form)
    schema: Schema = {"type": "array", "items": _text(Text(pattern=form.pattern))}
    schema["uniqueItems"] = True
    if form.least:
        schema["minItems"] = form.least
    if form.most:
        schema["maxItems"] = form.most
    return schema


def _pairs(form: Form) -> Schema:
    pattern = form.pattern if isinstance(form, Pairs) else ""
    # `~` without quotes is null to YAML and the home to the person who writes it.
    home = {"anyOf": [_text(Text(pattern=pattern)), {"type": "null"}]}
    return {"type": "object", "additionalProperties": home}


def _items(form: Form) -> Schema:
    if not isinstance(form, Items):
        raise TypeError(form)
    return {"type": "array", "items": {"anyOf": [_keys(kind) for kind in form.kinds]}}


_FORMS: dict[type[Form], Callable[[Form], Schema]] = {
    Text: _text,
    Whole: _whole,
    Measure: _measure,
    Switch: _switch,
    Texts: _texts,
    Pairs: _pairs,
    Keys: _keys,
    Items: _items,
}

"""Walks through a JSON Schema that was built from a table of keys."""

from __future__ import annotations

from typing import Any

import jsonschema


def every_property(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every key with its schema, at any depth."""
    found = []
    parts = [schema, *schema.get("anyOf", []), *schema.get("items", {}).get("anyOf", [])]
    for part in parts:
        for name, inner in part.get("properties", {}).items():
            found += [(name, inner), *every_property(inner)]
    return found


def require_described(name: str, schema: dict[str, Any]) -> None:
    """A key says what it means, and its examples are right."""
    assert schema["description"].endswith("."), name
    assert schema["examples"], name
    for example in schema["examples"]:
        jsonschema.Draft202012Validator(schema).validate(example)

"""The keys of a map in a file, derived from the model that its values become.

Takes a model, gives its keys in the order of the attributes: the form of each by its type, the words by its `Doc`.
Lists of models are lists of kinds: there the attribute `kind` names the first key.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator
from pydantic.fields import FieldInfo

from fleet.spec import values
from fleet.spec.forms import (
    Doc,
    Form,
    Items,
    Key,
    Keys,
    Measure,
    Pairs,
    Switch,
    Text,
    Texts,
)
from fleet.spec.frozen import AtLeastOne, Frozen

_FORMS: dict[object, Form] = {
    str: Text(),
    bool: Switch(),
    timedelta: Measure(values.DURATION_PATTERN),
    Decimal: Measure(numeric=True),
}


@functools.cache
def keys_of(model: type[Frozen]) -> Keys:
    """The map that the model is written as. TypeError where an attribute says too little about itself."""
    keys: list[Key] = []
    kind = model.model_fields.get("kind")
    for attribute, field in model.model_fields.items():
        if field is kind:
            continue
        begins = str(kind.default) if kind is not None and not keys else ""
        for key in _keys(model, attribute, field, begins=begins):
            before = [each.name for each in keys].index(key.doc.before) if key.doc.before else None
            keys.insert(len(keys) if before is None else before, key)
    return Keys(tuple(keys), model.shape)


def _keys(model: type[Frozen], attribute: str, field: FieldInfo, *, begins: str) -> Iterator[Key]:
    """The key of an attribute. Where it has several, each but the first goes into the tree under its own name."""
    docs = [each for each in field.metadata if isinstance(each, Doc)]
    if not docs:
        raise TypeError(f"{model.__name__}.{attribute} has no Doc")
    choices = {name for group in model.shape.one_of for name in group}
    for doc in docs:
        name = begins or doc.name or attribute
        form = doc.form or _form(field.annotation, field.metadata, doc.item)
        if form is None:
            raise TypeError(f"{model.__name__}.{attribute} has a type that does not tell its form")
        yield Key(
            name=name,
            field=attribute if doc is docs[0] else name,
            form=form,
            doc=doc,
            default=doc.default or (field.default if isinstance(field.default, str) else ""),
            required=bool(begins) or (field.is_required() and name not in choices),
            nullable=field.default is None and name not in choices,
        )


def _form(annotation: object, metadata: Sequence[object] = (), item: str = "") -> Form | None:
    kind, told = _unwrapped(annotation)
    told = [*metadata, *told]
    for each in told:
        if isinstance(each, Form):
            return each
    if isinstance(kind, type) and issubclass(kind, Frozen):
        return keys_of(kind)
    if get_origin(kind) is Literal:
        return Text(choices=get_args(kind))
    if get_origin(kind) is tuple:
        return _list(get_args(kind)[0], told, item)
    return _FORMS.get(kind)


def _list(each: object, told: Sequence[object], item: str) -> Form:
    kind, _ = _unwrapped(each)
    if get_origin(kind) in (Union, UnionType):
        return Items(tuple(keys_of(one) for one in get_args(kind)), item)
    if get_origin(kind) is tuple:
        return Pairs(_pattern(get_args(kind)[1]))
    some = any(isinstance(t, AfterValidator) and isinstance(t.func, AtLeastOne) for t in told)
    return Texts(_pattern(each), least=int(some), item=item)


def _pattern(annotation: object) -> str:
    form = _form(annotation)
    if not isinstance(form, Text):
        raise TypeError(form)
    return form.pattern


def _unwrapped(annotation: object) -> tuple[Any, list[object]]:
    """The type itself, without None, and what `Annotated` says of it."""
    if get_origin(annotation) is Annotated:
        inner, *told = get_args(annotation)
        kind, more = _unwrapped(inner)
        return kind, [*told, *more]
    if get_origin(annotation) in (Union, UnionType):
        some = [each for each in get_args(annotation) if each is not NoneType]
        if len(some) == 1:
            return _unwrapped(some[0])
    return annotation, []

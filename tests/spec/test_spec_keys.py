"""How a map's keys follow from its model."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import AfterValidator, Field

from fleet.spec.forms import (
    Doc,
    Items,
    Key,
    Keys,
    Measure,
    Pairs,
    Shape,
    Switch,
    Text,
    Texts,
    Whole,
)
from fleet.spec.frozen import AtLeastOne, Frozen
from fleet.spec.keys import keys_of
from fleet.spec.values import DURATION_PATTERN

Tag = Annotated[str, Text(pattern="^t")]
DOC = Doc("About it.", "1")


class Inner(Frozen):
    shape: ClassVar[Shape] = Shape(short="tag", one_of=(("tag",), ("size", "price")))

    tag: Annotated[Tag | None, DOC] = None
    size: Annotated[int | None, Whole(1, 9), DOC] = None
    price: Annotated[Decimal | None, DOC] = None


class Cut(Frozen):
    kind: Literal["cut"] = "cut"
    what: Annotated[Tag, DOC]


class Glue(Frozen):
    kind: Literal["glue"] = "glue"
    glue: Annotated[bool, DOC] = True
    to: Annotated[str | None, DOC] = None


Deed = Annotated[Cut | Glue, Field(discriminator="kind")]


class Outer(Frozen):
    shape: ClassVar[Shape] = Shape(one_of=(("names",), ("number",)))

    mode: Annotated[Literal["fast", "slow"], DOC] = "slow"
    first: Annotated[timedelta, Doc("About it.", "1h", also="never")]
    late: Annotated[Inner, DOC]
    early: Annotated[bool | None, Doc("About it.", "true", before="late")] = None
    names: Annotated[
        tuple[Tag, ...],
        AfterValidator(AtLeastOne("name one", "[t]")),
        Doc("About it.", "[t]", item="name"),
        Doc("How many.", "3", name="number", form=Whole(1, 3)),
    ]
    more: Annotated[tuple[Tag, ...] | None, DOC] = None
    pairs: Annotated[tuple[tuple[str, Tag], ...], Doc("About it.", "{a: t}", name="map")] = ()
    deeds: Annotated[tuple[Deed, ...], Doc("About it.", "[]", default="none", item="deed")] = ()


def named(form: Keys) -> dict[str, Key]:
    return {key.name: key for key in form.keys}


def test_the_form_follows_from_the_type() -> None:
    forms = {key.name: key.form for key in keys_of(Outer).keys}
    assert forms.pop("deeds") == Items((keys_of(Cut), keys_of(Glue)), item="deed")
    assert forms == {
        "mode": Text(choices=("fast", "slow")),
        "first": Measure(DURATION_PATTERN),
        "early": Switch(),
        "late": keys_of(Inner),
        "names": Texts("^t", least=1, item="name"),
        "number": Whole(1, 3),
        "more": Texts("^t"),
        "map": Pairs("^t"),
    }
    assert [key.form for key in keys_of(Inner).keys] == [
        Text(pattern="^t"),
        Whole(1, 9),
        Measure(numeric=True),
    ]


def test_the_keys_stand_in_the_order_of_the_attributes_or_before_the_one_that_is_named() -> None:
    names = [key.name for key in keys_of(Outer).keys]
    assert names == ["mode", "first", "early", "late", "names", "number", "more", "map", "deeds"]


def test_a_second_way_to_write_an_attribute_has_a_place_of_its_own_in_the_tree() -> None:
    keys = named(keys_of(Outer))
    assert {name: keys[name].field for name in ("names", "number", "map")} == {
        "names": "names",
        "number": "number",
        "map": "pairs",
    }


def test_what_is_required_and_what_may_be_null_follows_from_the_default() -> None:
    keys = keys_of(Outer).keys
    assert [key.name for key in keys if key.required] == ["first", "late"]
    assert [key.name for key in keys if key.nullable] == ["early", "more"]


def test_none_of_several_choices_is_required_or_may_be_null() -> None:
    form = keys_of(Inner)
    assert form.shape is Inner.shape
    assert not any(key.required or key.nullable for key in form.keys)


def test_a_kind_begins_with_its_own_key_which_is_required() -> None:
    what, glue = keys_of(Cut).keys[0], keys_of(Glue).keys[0]
    assert (what.name, what.field, what.required) == ("cut", "what", True)
    assert (glue.name, glue.field, glue.required) == ("glue", "glue", True)
    assert not keys_of(Glue).keys[1].required


def test_a_default_that_is_text_speaks_for_itself() -> None:
    keys = named(keys_of(Outer))
    assert (keys["mode"].default, keys["deeds"].default, keys["map"].default) == (
        "slow",
        "none",
        "",
    )


def test_the_other_way_to_write_it_stands_in_the_advice() -> None:
    assert named(keys_of(Outer))["first"].written == "first: 1h, or first: never"


def test_an_attribute_of_which_nothing_is_said_is_refused() -> None:
    class Silent(Frozen):
        name: str

    with pytest.raises(TypeError, match=r"Silent\.name has no Doc"):
        keys_of(Silent)


def test_a_type_that_does_not_tell_its_form_is_refused() -> None:
    class Vague(Frozen):
        number: Annotated[int, DOC]

    with pytest.raises(TypeError, match=r"Vague\.number has a type"):
        keys_of(Vague)

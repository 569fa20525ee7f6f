"""The forms that a key's value can have in a file, and the table that says what a whole file looks like.

The reader, the JSON Schema and the reference page go by such tables, which `fleet.spec.keys` derives from the models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """A text: one of the choices where there are any, else one that fits the pattern."""

    choices: tuple[str, ...] = ()
    pattern: str = ""


@dataclass(frozen=True)
class Whole:
    """A whole number."""

    least: int
    most: int


@dataclass(frozen=True)
class Measure:
    """A value with a grammar of its own, such as a duration; a plain number if `numeric`."""

    pattern: str = ""
    numeric: bool = False


@dataclass(frozen=True)
class Switch:
    """Yes or no, as `true` and `false`."""


@dataclass(frozen=True)
class Texts:
    """A list of texts; `item` is what messages call one of them, if not by the key."""

    pattern: str = ""
    least: int = 0
    most: int = 0
    item: str = ""


@dataclass(frozen=True)
class Pairs:
    """A map from texts to texts that the writer chooses."""

    pattern: str = ""


@dataclass(frozen=True)
class Shape:
    """What holds for a map as a whole. `short` names the key that a bare value stands for.

    Exactly one of the groups in `one_of` is needed, with any of its keys.
    """

    short: str = ""
    one_of: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Keys:
    """A map with known keys."""

    keys: tuple[Key, ...]
    shape: Shape


@dataclass(frozen=True)
class Items:
    """A list of maps, each of one of these kinds: the first key of a kind says that it is meant.

    `item` is what messages call one of them. The models know the kind by the field `kind`.
    """

    kinds: tuple[Keys, ...]
    item: str


Form = Text | Whole | Measure | Switch | Texts | Pairs | Keys | Items


@dataclass(frozen=True)
class Doc:
    """What a model says of a key, in the `Annotated` of the attribute that holds its value.

    `example` is the value as YAML, `also` a second way to write it. `default` is what holds without the key, where
    the attribute's own default is no text. `name` is the key where the attribute has another, `form` the form where
    the attribute's type does not tell it, and `item` what messages call one item of a list. `needs` is a key that must
    stand beside this one, and `before` one that comes after it on the page though the model checks that first.
    """

    about: str
    example: str
    default: str = ""
    name: str = ""
    also: str = ""
    needs: str = ""
    before: str = ""
    item: str = ""
    form: Form | None = None


@dataclass(frozen=True)
class Key:
    """One key: its name in the file, the models' attribute, the form of its value, and what is said of it.

    A `nullable` key may be written `null`, which is the same as leaving it out.
    """

    name: str
    field: str
    form: Form
    doc: Doc
    default: str
    required: bool
    nullable: bool

    @property
    def written(self) -> str:
        """The key with its example, ready to be typed, and with the other way to write it."""
        also = f", or {self.name}: {self.doc.also}" if self.doc.also else ""
        return f"{self.name}: {self.doc.example}{also}"


@dataclass(frozen=True)
class Table:
    """The form of a whole file: its keys, what people write instead of them, and what it is called.

    `newcomer` is what to do with a file that has nothing in it.
    """

    root: Keys
    title: str
    about: str
    urn: str
    newcomer: str
    synonyms: Mapping[str, str]

    @property
    def maps(self) -> Iterator[tuple[str, Keys]]:
        """The maps that stand at the top level, with their names."""
        return ((key.name, key.form) for key in self.root.keys if isinstance(key.form, Keys))

    @property
    def kinds(self) -> Iterator[Keys]:
        """The kinds of all lists at the top level."""
        lists = (key.form for key in self.root.keys if isinstance(key.form, Items))
        return (kind for form in lists for kind in form.kinds)


def kind_of(form: Keys) -> str:
    """The name of a kind: its first key's."""
    return form.keys[0].name

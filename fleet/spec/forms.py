"""The forms that a key's value can have in a file, and the table that says what a whole file looks like.

The reader, the JSON Schema and the reference page are built from such tables.
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
class Keys:
    """A map with known keys. `short` names the key that a bare value stands for.

    Exactly one of the groups in `one_of` is needed, with any of its keys.
    """

    keys: tuple[Key, ...]
    short: str = ""
    one_of: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Items:
    """A list of maps, each of one of these kinds: the first key of a kind says that it is meant.

    `item` is what messages call one of them. The models know the kind by the field `kind`.
    """

    kinds: tuple[Keys, ...]
    item: str


Form = Text | Whole | Measure | Switch | Texts | Pairs | Keys | Items


@dataclass(frozen=True)
class Key:
    """One key: its name in the file, the form of its value, what it means, and how it is written.

    `example` is the value as YAML, `also` a second way to write it. `needs` is a key that must stand
    beside this one. A `nullable` key may be written `null`, which is the same as leaving it out.
    """

    name: str
    form: Form
    about: str
    example: str
    default: str = ""
    field: str = ""
    also: str = ""
    needs: str = ""
    required: bool = False
    nullable: bool = False

    @property
    def written(self) -> str:
        """The key with its example, ready to be typed, and with the other way to write it."""
        return f"{self.name}: {self.example}" + (
            f", or {self.name}: {self.also}" if self.also else ""
        )


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

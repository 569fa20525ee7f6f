"""What the command line says in place of the spec.

Takes the spec's root node, and puts the flags' values in it before anything is checked: a flag's
value passes the same rules, and a fault in it names the flag.
"""

from __future__ import annotations

from dataclasses import dataclass

from yaml.error import Mark
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from fleet.spec.instances import NEED_KEYS
from fleet.spec.model import MEMBER_KEYS

_PREFIX = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Overrides:
    """Values as typed on the command line; None leaves the spec's own.

    `count` takes the place of `members` and `roster` as well: the fleet has env-01, env-02 and so
    on then, and the roster is not read. `types` takes the place of needs (`gpus`) as well.
    """

    count: int | None = None
    market: str | None = None
    types: tuple[str, ...] | None = None
    expires: str | None = None
    min_ready: int | None = None
    region: str | None = None


NONE = Overrides()


def apply(overrides: Overrides, root: MappingNode) -> None:
    """Put the values in their places, instead of what stands there or as new keys."""
    if overrides.count is not None:
        root.value = [pair for pair in root.value if pair[0].value not in MEMBER_KEYS]
        _put(root, "count", _scalar(str(overrides.count), "--count"))
    if overrides.expires is not None:
        _put(root, "expires", _scalar(overrides.expires, "--expires"))
    if overrides.min_ready is not None:
        _put(root, "min", _scalar(str(overrides.min_ready), "--min"))
    if overrides.region is not None:
        _put(root, "region", _scalar(overrides.region, "--region"))
    if overrides.types is not None:
        items: list[Node] = [_scalar(each, "--types") for each in overrides.types]
        mark = _mark("--types")
        value = SequenceNode(_PREFIX + "seq", items, mark, mark)
        instances = _instances(root, mark)
        instances.value = [pair for pair in instances.value if pair[0].value not in NEED_KEYS]
        _put(instances, "types", value)
    if overrides.market is not None and any(p[0].value == "instances" for p in root.value):
        mark = _mark("--market")
        _put(_instances(root, mark), "market", _scalar(overrides.market, "--market"))


def _instances(root: MappingNode, mark: Mark) -> MappingNode:
    """The map under `instances`, made where there is none; a stray one where it is no map."""
    for key, value in root.value:
        if key.value == "instances":
            return value if isinstance(value, MappingNode) else _map(mark)
    made = _map(mark)
    _put(root, "instances", made)
    return made


def _put(node: MappingNode, key: str, value: Node) -> None:
    mark = value.start_mark
    name = ScalarNode(_PREFIX + "str", key, mark, mark)
    node.value = [pair for pair in node.value if pair[0].value != key] + [(name, value)]


def _map(mark: Mark) -> MappingNode:
    return MappingNode(_PREFIX + "map", [], mark, mark)


def _scalar(text: str, flag: str) -> ScalarNode:
    mark = _mark(flag)
    return ScalarNode(_PREFIX + "str", text, mark, mark)


def _mark(flag: str) -> Mark:
    """The mark of a value without a line: one more than -1 is 0."""
    return Mark(flag, 0, -1, 0, None, 0)

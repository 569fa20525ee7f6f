"""Decides which tags say how an instance is reached, once a spec has changed it. Pure."""

from __future__ import annotations

from fleet.plan import tags
from fleet.plan.facts import InstanceFact
from fleet.plan.via import Way


def reach_tags(instance: InstanceFact, *, way: Way, tls: bool) -> dict[str, str]:
    """Give the tags of an instance that a spec has changed since its launch: openly or inside SSH, with TLS or without.

    Public addresses stay public and private ones private: no tag changes that.
    """
    changed = {}
    if way != instance.way and way.public and instance.way.public:
        changed[tags.VIA] = way.text
    if tls != instance.tls:
        changed[tags.TLS] = tags.OWN_TLS if tls else tags.NO_TLS
    return changed

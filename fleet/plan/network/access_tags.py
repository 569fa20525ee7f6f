"""Decides which tags say how an instance is reached, once a spec has changed it. Pure."""

from __future__ import annotations

from fleet.plan import tags
from fleet.plan.access_path import AccessPath
from fleet.plan.facts.environment import InstanceFact


def access_tags(instance: InstanceFact, *, access_path: AccessPath, tls: bool) -> dict[str, str]:
    """Give the tags of an instance that a spec has changed since its launch: openly or inside SSH, with TLS or without.

    Public addresses stay public and private ones private: no tag changes that.
    """
    changed = {}
    if access_path != instance.access_path and access_path.public and instance.access_path.public:
        changed[tags.VIA] = access_path.text
    if tls != instance.tls:
        changed[tags.TLS] = tags.OWN_TLS if tls else tags.NO_TLS
    return changed

"""Holds an image against instance types. Takes facts of both; gives a refusal, one line with its remedy, or nothing.

Sources (collected 2026-11-21, docs/images.md): the DLAMI page of important changes for the driver lines, the
description of each image for the types it names, the EC2 guide for fractional GPUs. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from fleet.errors import FleetError
from fleet.plan.facts.hardware import InstanceTypeFact
from fleet.plan.facts.images import ImageFact
from fleet.plan.images.dlami_names import DlamiName
from fleet.plan.images.named import dlami_below

_NEED_PROPRIETARY = frozenset({"p3", "p3dn", "g3", "g3s"})
_NEED_OLDER = frozenset({"p2", "g2"})
_NEED_OSS = re.compile(r"p[4-9]|g[7-9]")
_FRACTIONAL = frozenset({"g6f", "gr6f"})
_OTHER_MAKERS = {
    "dl1": "Habana", "dl2q": "Qualcomm", "g4ad": "AMD", "inf1": "AWS", "inf2": "AWS",
    "trn1": "AWS", "trn1n": "AWS", "trn2": "AWS", "trn2u": "AWS", "trn3": "AWS",
    "vt1": "Xilinx", "f1": "Xilinx", "f2": "Xilinx",
}  # fmt: skip
_MAKER_OF_KIND = {"neuron": "AWS", "habana": "Habana", "qualcomm": "Qualcomm"}
_ACCELERATOR = {
    "AWS": "AWS Inferentia and Trainium",
    "Habana": "Habana Gaudi",
    "Qualcomm": "Qualcomm AI 100",
}
# Descriptions name some families by a shorter word than EC2 does.
_MEANT_BY = {"p4": ("p4d", "p4de"), "g3": ("g3", "g3s"), "p6": ("p6-b200", "p6-b300")}


def require_fit(image: ImageFact, types: Iterable[InstanceTypeFact], *, chosen_by_id: bool) -> None:
    """Raise FleetError where the image cannot drive one of the types.

    Fractional GPUs are refused unless the image is named by id: what AWS says of them contradicts itself.
    """
    for fact in types:
        if refusal := refuse_type(image, fact, chosen_by_id=chosen_by_id):
            raise refusal


def refuse_type(
    image: ImageFact, fact: InstanceTypeFact, *, chosen_by_id: bool = False
) -> FleetError | None:
    """Give the reason why an image cannot drive a type, or None where it can or nothing is known."""
    if image.architecture not in fact.architectures:
        return FleetError(
            f"{fact.name} is {'/'.join(fact.architectures)}, {image.image_id} is for {image.architecture}",
            remedy=f"choose instance types for {image.architecture} or another image",
        )
    name, family = dlami_below(image), fact.name.partition(".")[0]
    if name is not None:
        refusal = _by_maker(name, fact, family) or _by_driver(name, family)
        if refusal is None and family in _FRACTIONAL and not chosen_by_id:
            refusal = (
                f"{family} has a fraction of a GPU, for which EC2's guide names the GRID driver only",
                "choose whole GPUs (g6.xlarge), or take the risk with image: {id: …}",
            )
        if refusal is not None:
            return FleetError(f"{fact.name}: {refusal[0]}", remedy=refusal[1])
    return None if fact.gpus == 0 or family in _FRACTIONAL else _by_description(image, fact, family)


def supported_families(description: str) -> frozenset[str]:
    """Read "Supported EC2 instances: G4dn, P4, P5" of a description; empty where it says nothing."""
    match = re.search(r"Supported EC2 instances?:([^.\n]*)", description)
    words = re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)?", match[1].lower()) if match else []
    return frozenset(
        family for word in words if word != "and" for family in _MEANT_BY.get(word, (word,))
    )


def _by_maker(name: DlamiName, fact: InstanceTypeFact, family: str) -> tuple[str, str] | None:
    wanted = _MAKER_OF_KIND.get(name.kind, "NVIDIA")
    maker = _OTHER_MAKERS.get(family) or fact.manufacturer or ("NVIDIA" if fact.gpus else "")
    if wanted == "NVIDIA" and maker not in {"", "NVIDIA"}:
        return (
            f"its accelerators are {maker}'s, the image has NVIDIA's driver",
            "choose an NVIDIA type such as g5.xlarge, or an image for it by id",
        )
    if wanted in {maker, "NVIDIA"}:
        return None
    return (
        f"the image is for {_ACCELERATOR[wanted]}",
        "choose instance types that have it, or another image",
    )


def _by_driver(name: DlamiName, family: str) -> tuple[str, str] | None:
    if family in _NEED_OLDER and name.driver is not None:
        return (
            "no image since 2023-11 drives its GPU (Kepler)",
            "choose a newer type such as g4dn.xlarge, or an image of your own by id",
        )
    if family in _NEED_PROPRIETARY and name.driver == "oss":
        return (
            f"NVIDIA's open driver, which the image has, does not drive the {family} family",
            "choose g4dn, g5 or newer, or an image with the proprietary driver by id",
        )
    if _NEED_OSS.match(family) and name.driver == "proprietary":
        return (
            f"NVIDIA's proprietary driver, which the image has, does not drive the {family} family",
            "choose an image with the OSS driver",
        )
    return None


def _by_description(image: ImageFact, fact: InstanceTypeFact, family: str) -> FleetError | None:
    supported = supported_families(image.description)
    if not supported or family in supported:
        return None
    return FleetError(
        f"{fact.name}: {image.image_id} supports {', '.join(sorted(supported))} only",
        remedy="choose one of these families, or another image",
    )

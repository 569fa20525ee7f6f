"""The root volume: that part of a spec, held against what EBS sells.

Takes type, GiB, IOPS and MiB/s, raises RefusedError with every limit of the type that is passed.

Limits as of the EC2 API reference of 2026-04. gp3 had 16,000 IOPS, 1,000 MiB/s and 16 TiB before;
old texts still say so. st1 and sc1 cannot be root volumes; magnetic (standard) is of the last
generation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import model_validator

from fleet.spec.forms import Doc, Shape, Whole
from fleet.spec.frozen import Frozen
from fleet.spec.refusal import Objection, RefusedError
from fleet.spec.typed import KmsKey, Size

VolumeType = Literal["gp3", "gp2", "io1", "io2"]

DEFAULT_SIZE_GIB = 100

GP3_BASE_IOPS = 3000
GP3_BASE_THROUGHPUT = 125
GP3_LARGEST_THROUGHPUT = 2000
IOPS_PER_MIB_S = 4  # gp3 throughput <= 0.25 MiB/s for each provisioned I/O per second


@dataclass(frozen=True)
class Limits:
    """Of one volume type. `most_iops` is 0 where IOPS cannot be asked for."""

    least_gib: int
    most_gib: int
    least_iops: int = 0
    most_iops: int = 0
    iops_per_gib: int = 0


LIMITS = {
    "gp3": Limits(1, 65536, GP3_BASE_IOPS, 80000, 500),
    "gp2": Limits(1, 16384),
    "io1": Limits(4, 16384, 100, 64000, 50),
    "io2": Limits(4, 65536, 100, 256000, 1000),
}


class Volume(Frozen):
    """The root volume. `throughput` is MiB/s; None is EBS's own default (gp3: 3000 and 125)."""

    shape: ClassVar[Shape] = Shape(short="size")

    size_gib: Annotated[
        Size, Doc("The root volume's size.", "100GiB", default="100GiB", name="size")
    ] = DEFAULT_SIZE_GIB
    type: Annotated[VolumeType, Doc("The EBS volume type.", "gp3")] = "gp3"
    iops: Annotated[
        int | None,
        Whole(100, 256000),
        Doc(
            f"Provisioned I/O per second; gp3 takes {GP3_BASE_IOPS} to 80000.",
            "3000",
            default="3000 for gp3",
        ),
    ] = None
    throughput: Annotated[
        int | None,
        Whole(GP3_BASE_THROUGHPUT, GP3_LARGEST_THROUGHPUT),
        Doc(
            "MiB/s of a gp3 volume, a quarter of its IOPS at most.",
            "125",
            default="125 for gp3",
        ),
    ] = None
    kms_key: Annotated[
        KmsKey | None,
        Doc(
            "The KMS key to encrypt with: id, ARN or alias.",
            "alias/team",
            default="the account's key for EBS",
        ),
    ] = None

    @model_validator(mode="after")
    def _within_limits(self) -> Volume:
        check(self.type, self.size_gib, self.iops, self.throughput)
        return self


def check(kind: str, size_gib: int, iops: int | None, throughput: int | None) -> None:
    """Hold a volume against its type's limits."""
    limits = LIMITS[kind]
    objections = (
        _size(kind, limits, size_gib)
        + _iops(kind, limits, size_gib, iops)
        + _throughput(kind, iops, throughput)
    )
    if objections:
        raise RefusedError(*objections)


def _size(kind: str, limits: Limits, size_gib: int) -> list[Objection]:
    if limits.least_gib <= size_gib <= limits.most_gib:
        return []
    remedy = f"write {limits.least_gib}GiB to {limits.most_gib}GiB"
    if size_gib < limits.least_gib:
        return [Objection(f"is {size_gib}GiB, too small for {kind}", remedy, ("size_gib",))]
    return [Objection(f"is {size_gib}GiB, too large for {kind}", remedy, ("size_gib",))]


def _iops(kind: str, limits: Limits, size_gib: int, iops: int | None) -> list[Objection]:
    at = ("iops",)
    if iops is None:
        if kind not in ("io1", "io2"):
            return []
        return [
            Objection(
                f"says nothing of iops, which {kind} needs", "add iops: 3000, or write type: gp3"
            )
        ]
    if not limits.most_iops:
        return [Objection(f"cannot be chosen for {kind}", "remove it, or write type: gp3", at)]
    if not limits.least_iops <= iops <= limits.most_iops:
        remedy = f"write {limits.least_iops} to {limits.most_iops}"
        return [Objection(f"is {iops}, out of the range of {kind}", remedy, at)]
    most = max(limits.least_iops, size_gib * limits.iops_per_gib)
    if size_gib >= limits.least_gib and iops > most:
        return [Objection(f"is {iops}, too many for {size_gib}GiB", f"write {most} or less", at)]
    return []


def _throughput(kind: str, iops: int | None, throughput: int | None) -> list[Objection]:
    at = ("throughput",)
    if throughput is None:
        return []
    if kind != "gp3":
        return [Objection(f"cannot be chosen for {kind}", "remove it, or write type: gp3", at)]
    if not GP3_BASE_THROUGHPUT <= throughput <= GP3_LARGEST_THROUGHPUT:
        remedy = f"write {GP3_BASE_THROUGHPUT} to {GP3_LARGEST_THROUGHPUT} (MiB/s)"
        return [Objection(f"is {throughput}, out of the range of gp3", remedy, at)]
    given = GP3_BASE_IOPS if iops is None else iops
    if throughput * IOPS_PER_MIB_S > given:
        need = throughput * IOPS_PER_MIB_S
        return [
            Objection(
                f"is {throughput}, too much for {given} IOPS", f"write iops: {need} beside it", at
            )
        ]
    return []

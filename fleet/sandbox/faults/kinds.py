"""The table of fault kinds: the command line's help, its listing and the documentation are made of it."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.sandbox.faults import conditions as c


@dataclass(frozen=True)
class Kind:
    """One kind of fault. `summary` says what it does; `required` names flags that must be given.

    `unit` is what its hits count. `of_host`: a container host is born with it.
    """

    name: str
    summary: str
    options: tuple[c.Option, ...]
    example: str
    required: tuple[str, ...] = ()
    unit: str = "calls"
    of_host: bool = False


_CALLS = (c.RATE, c.SKIP, c.CALLS, c.FOR)
_POOL = (c.TYPE, c.ZONE, c.MARKET, c.CALLS, c.FOR)
_INSTANCE = (c.FLEET, c.TYPE, c.ZONE, c.INSTANCES, c.FOR)

_HOST = _INSTANCE
"""Of the kinds that are born with a container host."""

_TABLE = (
    Kind(
        "error",
        "An API action answers with any AWS error code.",
        (c.ACTION, c.CODE, c.MESSAGE, c.STATUS, *_CALLS),
        "error --action CreateFleet --code RequestLimitExceeded --calls 2",
        required=("action", "code"),
    ),
    Kind(
        "throttle",
        "Calls are refused as too many: RequestLimitExceeded from EC2, ThrottlingException elsewhere.",
        (c.ACTION, *_CALLS),
        "throttle --rate 30% --for 1m",
    ),
    Kind(
        "server-error",
        "Calls end with AWS's internal error, HTTP 500, and take no effect.",
        (c.ACTION, *_CALLS),
        "server-error --rate 0.2",
    ),
    Kind(
        "deny",
        "IAM denies one action: UnauthorizedOperation from EC2, AccessDeniedException elsewhere.",
        (c.ACTION, c.SKIP, c.CALLS, c.FOR),
        "deny --action ec2:CreateLaunchTemplate",
        required=("action",),
    ),
    Kind(
        "slow",
        "Answers come late.",
        (c.delay("How late."), c.ACTION, *_CALLS),
        "slow --delay 5s --action DescribeInstances",
        required=("delay",),
    ),
    Kind(
        "lost-request",
        "The connection is cut before the call took effect.",
        (c.ACTION, *_CALLS),
        "lost-request --action CreateSecurityGroup --calls 1",
    ),
    Kind(
        "lost-response",
        "The connection is cut after the call took effect: nobody reads the answer.",
        (c.ACTION, *_CALLS),
        "lost-response --action CreateFleet --calls 1",
    ),
    Kind(
        "no-capacity",
        "EC2 has no capacity: InsufficientInstanceCapacity at a launch.",
        _POOL,
        "no-capacity --type g5.xlarge --zone us-east-1a",
    ),
    Kind(
        "partial-fleet",
        "Only so many instances of a CreateFleet come, whatever the pools hold.",
        (c.ROOM, c.CALLS, c.FOR),
        "partial-fleet --instances 2 --calls 1",
        required=("instances",),
    ),
    Kind(
        "quota-exceeded",
        "The account may not launch so many: VcpuLimitExceeded or MaxSpotInstanceCountExceeded.",
        (c.TYPE, c.MARKET, c.CALLS, c.FOR),
        "quota-exceeded --type g5.xlarge --market spot",
    ),
    Kind(
        "pool-error",
        "A launch into a pool fails with any code; CreateFleet answers HTTP 200 and names it per pool.",
        (c.CODE, c.MESSAGE, *_POOL),
        "pool-error --code SpotMaxPriceTooLow --market spot",
        required=("code",),
    ),
    Kind(
        "invisible",
        "A new instance is not described at first, and InvalidInstanceID.NotFound when named.",
        (c.delay("From launch until it is seen."), *_INSTANCE),
        "invisible --delay 20s",
        required=("delay",),
        unit="instances",
    ),
    Kind(
        "dies-pending",
        "A new instance terminates itself while pending; its StateReason says why.",
        (c.CODE, c.MESSAGE, *_INSTANCE),
        "dies-pending --instances 1 --code Client.VolumeLimitExceeded",
        unit="instances",
    ),
    Kind(
        "never-boots",
        "An instance runs, its status check is impaired, and no SSH server ever answers.",
        _INSTANCE,
        "never-boots --instances 1",
        unit="instances",
    ),
    Kind(
        "mute-ssh",
        "The SSH server of a container host accepts connections and says nothing.",
        _HOST,
        "mute-ssh --instances 1",
        unit="instances",
        of_host=True,
    ),
    Kind(
        "other-host-key",
        "The SSH server of a container host has another key than its console shows: somebody in between.",
        _HOST,
        "other-host-key --instances 1",
        unit="instances",
        of_host=True,
    ),
    Kind(
        "other-user",
        "The image of a container host lets another user in than images of its kind do.",
        _HOST,
        "other-user --instances 1",
        unit="instances",
        of_host=True,
    ),
    Kind(
        "failing-user-data",
        "cloud-init fails at the first boot of a container host.",
        _HOST,
        "failing-user-data --instances 1",
        unit="instances",
        of_host=True,
    ),
    Kind(
        "small-disk",
        "The disk of a container host has only so much room.",
        (c.SIZE, *_HOST),
        "small-disk --size 100MiB --instances 1",
        required=("size",),
        unit="instances",
        of_host=True,
    ),
    Kind(
        "small-memory",
        "A container host has only so much memory.",
        (c.SIZE, *_HOST),
        "small-memory --size 150MiB --instances 1",
        required=("size",),
        unit="instances",
        of_host=True,
    ),
    Kind(
        "no-packages",
        "A container host gets no answer from its package index.",
        _HOST,
        "no-packages --instances 1",
        unit="instances",
        of_host=True,
    ),
    Kind(
        "slow-link",
        "A container host has little bandwidth.",
        (c.BANDWIDTH, *_HOST),
        "slow-link --rate 2mbit --instances 1",
        required=("rate",),
        unit="instances",
        of_host=True,
    ),
    Kind(
        "lossy-link",
        "Packets from and to a container host get lost.",
        (c.LOSS, *_HOST),
        "lossy-link --share 30% --instances 1",
        required=("share",),
        unit="instances",
        of_host=True,
    ),
    Kind(
        "spot-interruption",
        "Spot Instances get their notice now, and EC2 terminates them when it is over.",
        (c.MEMBER, c.FLEET, c.INSTANCE, c.TYPE, c.ZONE, c.NOTICE, c.CAUSE),
        "spot-interruption --member ana --notice 20s",
        unit="instances",
    ),
    Kind(
        "spot-rebalance",
        "Spot Instances are told that EC2 may take them back soon: a rebalance recommendation.",
        (c.MEMBER, c.FLEET, c.INSTANCE, c.TYPE, c.ZONE),
        "spot-rebalance --member ana",
        unit="instances",
    ),
    Kind(
        "image-fails",
        "An image that is made or copied ends `failed`; its StateReason says why.",
        (c.SKIP, c.CALLS, c.FOR),
        "image-fails --calls 1",
    ),
    Kind(
        "slow-image",
        "An image that is made or copied stays `pending` for longer.",
        (c.delay("So much longer."), c.SKIP, c.CALLS, c.FOR),
        "slow-image --delay 20m --calls 1",
        required=("delay",),
    ),
    Kind(
        "dependency-violation",
        "DeleteSecurityGroup answers DependencyViolation, as while interfaces linger.",
        (c.delay("So long from the first try, for each group."), c.CALLS, c.FOR),
        "dependency-violation --delay 20s",
    ),
)  # fmt: skip

KINDS: dict[str, Kind] = {kind.name: kind for kind in _TABLE}
"""Every kind by name, in the order in which help and documentation show them."""

"""AWS's own words and HTTP statuses for the error codes that a client must expect at a launch.

From EC2's table of errors (client and server errors) and from the services' common errors; moto
answers 400 to all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleet.sandbox.cloud.call import Protocol

EC2_STATUSES = {
    "InsufficientInstanceCapacity": 500,
    "InsufficientCapacity": 500,
    "InsufficientHostCapacity": 500,
    "InsufficientReservedInstanceCapacity": 500,
    "InsufficientVolumeCapacity": 500,
    "InternalError": 500,
    "InternalFailure": 500,
    "ServiceUnavailable": 503,
    "Unavailable": 503,
    "RequestLimitExceeded": 503,
    "UnauthorizedOperation": 403,
    "Blocked": 403,
    "DryRunOperation": 412,
    "AuthFailure": 401,
    "OptInRequired": 401,
    "PendingVerification": 401,
}
"""HTTP statuses of EC2's errors other than 400."""

_STATUSES = {
    "InternalServerError": 500,
    "InternalErrorException": 500,
    "InternalFailure": 500,
    "InternalError": 500,
    "ServiceException": 500,
    "ServiceFailure": 500,
    "ServiceUnavailable": 503,
    "SlowDown": 503,
    "AccessDenied": 403,
    "ExpiredToken": 403,
    "InvalidClientTokenId": 403,
}

_WORDS = {
    "InsufficientInstanceCapacity": "There is no capacity available that matches your request.",
    "UnfulfillableCapacity": "Unable to fulfill capacity due to your request configuration. "
    "Please adjust your request and try again.",
    "ReservationCapacityExceeded": "The requested Capacity Reservation does not have sufficient "
    "capacity.",
    "Unsupported": "The requested configuration is currently not supported. Please check the "
    "documentation for supported configurations.",
    "InvalidFleetConfiguration": "Your requested instance type is not supported in your requested "
    "Availability Zone.",
    "VcpuLimitExceeded": "You have requested more vCPU capacity than your current vCPU limit allows "
    "for the instance bucket that the specified instance type belongs to. Please visit "
    "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
    "MaxSpotInstanceCountExceeded": "Max spot instance count exceeded",
    "InstanceLimitExceeded": "Your quota allows for 0 more running instance(s). You requested at "
    "least 1",
    "MaxFleetCountExceeded": "You have reached your quota for the number of Spot Fleets or EC2 "
    "Fleets for this account.",
    "SpotMaxPriceTooLow": "Your Spot request price is lower than the minimum required Spot request "
    "fulfillment price.",
    "InsufficientFreeAddressesInSubnet": "There are not enough free addresses in the subnet to "
    "satisfy the requested number of instances.",
    "InvalidAMIID.NotFound": "The image id does not exist",
    "RequestLimitExceeded": "Request limit exceeded.",
    "Unavailable": "The service is unavailable. Please try again shortly.",
    "ServiceUnavailable": "The request has failed due to a temporary failure of the server.",
    "InternalError": "An internal error has occurred",
    "InternalServerError": "An error occurred on the server side.",
    "InvalidInstanceID.NotFound": "The instance ID does not exist",
    "DependencyViolation": "The resource has a dependent object",
    "InvalidGroup.InUse": "The security group is currently in use",
    "InvalidKeyPair.Duplicate": "The keypair already exists",
    "InvalidGroup.Duplicate": "The security group already exists for VPC",
    "InvalidPermission.Duplicate": "the specified rule already exists",
    "UnauthorizedOperation": "You are not authorized to perform this operation.",
    "AuthFailure.ServiceLinkedRoleCreationNotPermitted": "The provided credentials do not have "
    "permission to create the service-linked role for EC2 Spot Instances.",
    "OptInRequired": "You are not subscribed to this service. Please go to http://aws.amazon.com to "
    "subscribe.",
    "PendingVerification": "Your account is currently being verified. Verification normally takes "
    "less than 2 hours.",
    "Blocked": "This account is currently blocked and not recognized as a valid account. Please "
    "contact aws-verification@amazon.com if you have questions.",
    "IdempotentParameterMismatch": "Arguments on this idempotent request are inconsistent with "
    "arguments used in previous request(s).",
    "InvalidUserData.Malformed": "User data is limited to 16384 bytes",
    "ThrottlingException": "Rate exceeded",
    "Throttling": "Rate exceeded",
}  # fmt: skip


def status_of(protocol: Protocol, code: str) -> int:
    """The HTTP status with which AWS answers the code."""
    return (EC2_STATUSES if protocol == "ec2" else _STATUSES).get(code, 400)


def words_of(code: str) -> str:
    """AWS's message for the code; where none is known, one that says who speaks."""
    return _WORDS.get(code, f"A fault of the sandbox answers {code}.")

"""EC2's errors with EC2's words, raised as moto's client error so that moto's serializer answers
them.
"""

from __future__ import annotations

from moto.ec2.exceptions import EC2ClientError


class Ec2Error(EC2ClientError):
    """An error with EC2's code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


def no_capacity(instance_type: str, zone: str, others: list[str], *, spot: bool) -> Ec2Error:
    """EC2 names the zones that would work, where there are any."""
    if spot:
        text = "There is no Spot capacity available that matches your request."
        return Ec2Error("InsufficientInstanceCapacity", text)
    text = (
        f"We currently do not have sufficient {instance_type} capacity in the Availability Zone "
        "you requested "
        f"({zone}). Our system will be working on provisioning additional capacity."
    )
    if others:
        text += (
            f" You can currently get {instance_type} capacity by not specifying an Availability "
            "Zone in your "
            f"request or choosing {', '.join(others)}."
        )
    return Ec2Error("InsufficientInstanceCapacity", text)


def over_quota(limit: int, *, spot: bool) -> Ec2Error:
    """The account may not have so many vCPUs of the family."""
    if spot:
        return Ec2Error("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
    text = (
        f"You have requested more vCPU capacity than your current vCPU limit of {limit} allows "
        "for the instance "
        "bucket that the specified instance type belongs to. Please visit "
        "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit."
    )
    return Ec2Error("VcpuLimitExceeded", text)


def not_offered(instance_type: str, zone: str, others: list[str], *, fleet: bool) -> Ec2Error:
    """The type is not offered in the zone; a fleet says so with another code than RunInstances."""
    code = "InvalidFleetConfiguration" if fleet else "Unsupported"
    text = (
        f"Your requested instance type ({instance_type}) is not supported in your requested "
        "Availability Zone "
        f"({zone}). Please retry your request by not specifying an Availability Zone"
    )
    text += f" or choosing {', '.join(others)}." if others else "."
    return Ec2Error(code, text)


def max_price_too_low(asked: float, price: float) -> Ec2Error:
    """The Spot request's cap is below the price in effect."""
    text = (
        f"Your Spot request price of {asked} is lower than the minimum required Spot request "
        "fulfillment price "
        f"of {price}."
    )
    return Ec2Error("SpotMaxPriceTooLow", text)


def architecture_mismatch(type_architecture: str, image_architecture: str) -> Ec2Error:
    """The image does not run on the type."""
    text = (
        f"The architecture '{type_architecture}' of the specified instance type does not match "
        "the architecture "
        f"'{image_architecture}' of the specified AMI. Specify an instance type and an AMI that "
        "have matching "
        "architectures, and try again. You can use 'describe-instance-types' or "
        "'describe-images' to discover "
        "the architecture of the instance type or AMI."
    )
    return Ec2Error("InvalidParameterValue", text)


def unavailable(image_id: str) -> Ec2Error:
    """The image is not whole yet, or never will be."""
    return Ec2Error("InvalidAMIID.Unavailable", f"The image ID '{image_id}' is not available")


def not_found(kind: str, resource_id: str) -> Ec2Error:
    """`kind` is the first half of EC2's code, such as `InvalidSubnetID`."""
    words = {
        "InvalidAMIID": f"The image id '[{resource_id}]' does not exist",
        "InvalidKeyPair": f"The key pair '{resource_id}' does not exist",
        "InvalidSubnetID": f"The subnet ID '{resource_id}' does not exist",
        "InvalidGroup": f"The security group '{resource_id}' does not exist",
        "InvalidInstanceID": f"The instance ID '{resource_id}' does not exist",
        "InvalidVolume": f"The volume '{resource_id}' does not exist.",
        "InvalidNetworkInterfaceID": f"The networkInterface ID '{resource_id}' does not exist",
        "InvalidSnapshot": f"The snapshot '{resource_id}' does not exist.",
        "InvalidFleetId": f"The fleet ID '{resource_id}' does not exist",
    }
    return Ec2Error(f"{kind}.NotFound", words.get(kind, f"The ID '{resource_id}' does not exist"))

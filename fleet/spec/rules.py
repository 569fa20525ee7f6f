"""What EC2, Git and pip take as a name, an address, an image, a package: a small function each.

Takes the text as written, gives it back in its one canonical form, or raises RefusedError with
what to write instead.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from fleet.spec.refusal import Objection, RefusedError, refuse, shown

NAME_PATTERN = r"^[a-z][a-z0-9-]{0,30}$"
REGION_PATTERN = r"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$"
INSTANCE_TYPE_PATTERN = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*$"
IMAGE_ID_PATTERN = r"^ami-[0-9a-f]{8}([0-9a-f]{9})?$"
VERSION_PATTERN = r"^[0-9]{1,4}(\.[0-9]{1,4}){0,2}$"
KMS_KEY_PATTERN = (
    r"^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:)?"
    r"(key/|alias/)?[A-Za-z0-9/_-]{1,250}$"
)
PACKAGE_PATTERN = (
    r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
    r"( ?\[[A-Za-z0-9._-]+(, ?[A-Za-z0-9._-]+)*\])?"
    r"( ?(===|~=|==|!=|<=|>=|<|>) ?[A-Za-z0-9.*+!_-]+"
    r"(, ?(===|~=|==|!=|<=|>=|<|>) ?[A-Za-z0-9.*+!_-]+)*)?$"
)
GIT_PATTERN = (
    r"^(https://[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?/"
    r"|ssh://([A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?/"
    r"|[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9.-]*:)"
    r"[A-Za-z0-9_.~/+%-]*[A-Za-z0-9_/]$"
)
REMOTE_PATTERN = r"^~(/[^/\x00-\x1f\x7f]+)*/?$"
VPC_PATTERN = r"^vpc-[0-9a-f]{8}([0-9a-f]{9})?$"
SUBNET_PATTERN = r"^subnet-[0-9a-f]{8}([0-9a-f]{9})?$"
PROFILE_PATTERN = (
    r"^(arn:aws[a-z-]*:iam::[0-9]{12}:instance-profile/([!-~]*/)?)?[A-Za-z0-9_+=,.@-]{1,128}$"
)
BASTION_PATTERN = (
    r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$"
)
ME = "me"
# Above everything that EC2 sells in 2026: u7inh-32tb has 1920 vCPUs, a GB200 instance 4 GPUs of a rack's 72.
MOST_GPUS = 72
MOST_VCPUS = 4096
MOST_MEMORY_GIB = 65536


def fleet_name(text: str) -> str:
    """The fleet's name: it becomes part of tags, key pairs, security groups and parameter names."""
    if _fits(NAME_PATTERN, text):
        return text
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-0123456789")[:31].rstrip("-")
    message = f"{shown(text)} is not a name of 1 to 31 letters a-z, digits and '-', a letter first"
    raise refuse(message, f"write it like {slug or 'workshop'}")


def region(text: str) -> str:
    """An AWS Region's code; an open set, so that a new Region needs no release of ours."""
    if _fits(REGION_PATTERN, text):
        return text
    if re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}[a-z]", text):
        raise refuse(f"{shown(text)} is an Availability Zone", f"write its Region, {text[:-1]}")
    raise refuse(f"{shown(text)} is not a Region", "write its code, such as us-east-1")


def instance_type(text: str) -> str:
    """An EC2 instance type; an open set: whether EC2 offers it is seen later, from EC2."""
    if text.startswith("ml."):
        raise refuse(
            f"{shown(text)} is SageMaker's name for it", f"write {text[3:] or 'g5.xlarge'}"
        )
    if _fits(INSTANCE_TYPE_PATTERN, text):
        return text
    if _fits(INSTANCE_TYPE_PATTERN, text.strip().lower()):
        raise refuse(f"{shown(text)} is not written as EC2 does", f"write {text.strip().lower()}")
    if re.fullmatch(r"[a-z][a-z0-9-]*", text):
        raise refuse(f"{shown(text)} has no size", f"write it with one, such as {text}.xlarge")
    raise refuse(f"{shown(text)} is not an instance type", "write it like g5.xlarge")


def image_id(text: str) -> str:
    """An AMI's id."""
    if _fits(IMAGE_ID_PATTERN, text):
        return text
    message = f"{shown(text)} is not an AMI id"
    raise refuse(message, "write it like ami-0123456789abcdef0, or write name: for an image's name")


def image_name(text: str) -> str:
    """An AMI's full name. With wildcards in it EC2 would find images that nobody chose."""
    if re.search(r"[*?]", text):
        message = f"{shown(text)} has a wildcard"
        raise refuse(message, "write the image's full name, or choose with framework: pytorch")
    if 3 <= len(text) <= 128 and text.isascii() and text.isprintable() and text == text.strip():
        return text
    raise refuse(f"{shown(text)} is not an AMI's name", "write its 3 to 128 characters as EC2 does")


def version(text: str) -> str:
    """A framework's version, whole or its first parts: `2`, `2.9`, `2.9.1`."""
    if _fits(VERSION_PATTERN, text):
        return text
    if text == "latest":
        raise refuse("'latest' is not a version", "remove it, the newest is taken then")
    raise refuse(f"{shown(text)} is not a version", 'write it like "2.9"')


def kms_key(text: str) -> str:
    """A KMS key: its id, its alias (`alias/...`) or the ARN of either."""
    if _fits(KMS_KEY_PATTERN, text):
        return text
    raise refuse(f"{shown(text)} is not a KMS key", "write its id, its ARN, or alias/NAME")


def vpc_id(text: str) -> str:
    """A VPC's id."""
    if _fits(VPC_PATTERN, text):
        return text
    remedy = "write it like vpc-0123456789abcdef0, or remove the key for the default VPC"
    raise refuse(f"{shown(text)} is not a VPC's id", remedy)


def subnet_id(text: str) -> str:
    """A subnet's id."""
    if _fits(SUBNET_PATTERN, text):
        return text
    raise refuse(f"{shown(text)} is not a subnet's id", "write it like subnet-0123456789abcdef0")


def instance_profile(text: str) -> str:
    """An IAM instance profile: its name or its ARN. A role is something else, and often of the same name."""
    if _fits(PROFILE_PATTERN, text):
        return text
    if ":role/" in text:
        message = f"{shown(text)} is a role, not an instance profile"
        raise refuse(message, f"write its instance profile, such as {text.rsplit('/', 1)[-1]}")
    raise refuse(f"{shown(text)} is not an instance profile", "write its name or its ARN")


def bastion(text: str) -> str:
    """A host to go through over SSH: user, host, and port where it is not 22."""
    if _fits(BASTION_PATTERN, text) and int(text.partition(":")[2] or "22") in range(1, 65536):
        return text
    example = f"ec2-user@{text}" if _fits(BASTION_PATTERN, f"u@{text}") else "ec2-user@203.0.113.5"
    raise refuse(f"{shown(text)} is not a user at a host", f"write it like {example}")


def source(text: str) -> str:
    """Who may come in: `me`, or a CIDR of IPv4 or IPv6, given back in canonical form."""
    if text == ME:
        return text
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise refuse(*_source_fault(text)) from None
    if "/" not in text:
        raise refuse(f"{shown(text)} is an address, not a CIDR", f"write {network}")
    address, length = text.split("/", 1)
    if length != str(network.prefixlen):
        raise refuse(f"{shown(text)} is not in CIDR form", f"write {network}")
    if ipaddress.ip_address(address) != network.network_address:
        raise refuse(f"{shown(text)} has bits beyond its prefix", f"write {network}")
    return str(network)


def package(text: str) -> str:
    """A Python package with or without a version; never an option, a URL or a path."""
    if _fits(PACKAGE_PATTERN, text):
        return text
    raise refuse(*_package_fault(text))


def git_url(text: str) -> str:
    """A repository to clone, over https or SSH: no transport that runs a command, no secret."""
    if _fits(GIT_PATTERN, text):
        return text
    raise refuse(*_git_fault(text))


def local_path(text: str) -> str:
    """A path beside the spec. Only its form is looked at."""
    if is_path(text):
        return text
    raise refuse(f"{shown(text)} is not a path", "write it like ./data")


def is_path(text: str) -> bool:
    """Whether a text can be a path at all."""
    return bool(text.strip()) and text.isprintable()


def remote_path(text: str) -> str:
    """A path under the environment's home: what is there belongs to the person, needs no root."""
    if _fits(REMOTE_PATTERN, text) and ".." not in text.split("/"):
        return text
    last = re.sub(r"[^A-Za-z0-9._-]", "", text.rstrip("/").rsplit("/", 1)[-1]).strip(".")
    message = f"{shown(text)} is not under the environment's home"
    raise refuse(message, f"write it like ~/{last or 'data'}")


def distinct(items: Sequence[str]) -> None:
    """Refuse each item that stands in the list a second time."""
    seen: set[str] = set()
    twice = []
    for index, item in enumerate(items):
        if item in seen and item:
            twice.append(Objection(f"{shown(item)} is there twice", "remove one of them", (index,)))
        seen.add(item)
    if twice:
        raise RefusedError(*twice)


def _fits(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern.removeprefix("^").removesuffix("$"), text) is not None


def _source_fault(text: str) -> tuple[str, str]:
    if text.lower() in ("*", "any", "all", "anywhere", "everyone", "world"):
        return f"{shown(text)} is not a CIDR", "write 0.0.0.0/0 if the whole internet may come in"
    return f"{shown(text)} is neither me nor a CIDR", "write it like 203.0.113.0/24, or me"


def _package_fault(text: str) -> tuple[str, str]:
    if text.startswith("-"):
        return f"{shown(text)} is an option of pip", "name packages only, such as einops"
    if "://" in text or text.startswith((".", "/")):
        # What is in a URL is not repeated: it may be a token.
        message = "has a URL or a path where a package's name belongs"
        return message, "write the name, or clone the repository with git"
    name, equals, number = text.partition("=")
    if equals and _fits(PACKAGE_PATTERN, f"{name}=={number}"):
        return f"{shown(text)} has a single '='", f"write {name}=={number}"
    if len(words := text.split()) > 1 and all(_fits(PACKAGE_PATTERN, word) for word in words):
        return f"{shown(text)} is more than one package", f"write [{', '.join(words)}]"
    return (
        f"{shown(text)} is not a package",
        "write a name with or without a version, such as einops==0.8.1",
    )


def _git_fault(text: str) -> tuple[str, str]:
    scheme, _, rest = text.partition("://")
    user, at, after = rest.split("/", 1)[0].rpartition("@")
    if at and (scheme != "ssh" or ":" in user):
        message = f"has a user name or a secret before {shown(after)}"
        return message, "remove it, and revoke it if it is a token"
    if scheme == "http" and _fits(GIT_PATTERN, f"https://{rest}"):
        return f"{shown(text)} is not encrypted", f"write https://{rest}"
    example = "https://github.com/OWNER/REPOSITORY"
    if "." in text.partition("/")[0] and _fits(GIT_PATTERN, f"https://{text}"):
        example = f"https://{text}"
    return f"{shown(text)} is not a repository's URL", f"write it like {example}"

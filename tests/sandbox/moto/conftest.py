"""Plain moto behind an endpoint, in a process of its own: the sandbox has changed moto's tables in this one."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from moto.utilities.utils import load_resource

from tests.sandbox.moto.asking import wait_for

if TYPE_CHECKING:
    from mypy_boto3_ec2.client import EC2Client

Client = Callable[[str], Any]


@pytest.fixture(scope="session")
def client() -> Iterator[Client]:
    """Give a client of a service that plain moto answers, and that asks once."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "moto.server", "-p", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(words, stdout=quiet, stderr=quiet) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/moto-api/")
            session = boto3.Session("made-up", "made-up", region_name="us-east-1")
            once = Config(retries={"total_max_attempts": 1})
            yield lambda service: session.client(service, endpoint_url=url, config=once)  # type: ignore[call-overload]
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def ec2(client: Client) -> EC2Client:
    made: EC2Client = client("ec2")
    return made


@pytest.fixture(scope="session")
def image_id() -> str:
    """An image of moto's own, for x86_64."""
    images: list[dict[str, str]] = load_resource("ec2/resources/amis.json")
    return next(image["ami_id"] for image in images if image["architecture"] == "x86_64")


@pytest.fixture(scope="session")
def arm_image_id() -> str:
    images: list[dict[str, str]] = load_resource("ec2/resources/latest_amis/us-east-1.json")
    return next(image["ami_id"] for image in images if image["architecture"] == "arm64")

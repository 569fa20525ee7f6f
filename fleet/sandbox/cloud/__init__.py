"""The EC2-compatible endpoint of the sandbox: EC2, SSM, STS, IAM, S3, Service Quotas and the Price
List.

`Cloud` is a WSGI application over a `HostDriver`; nothing here knows of the product. moto is
imported when a `Cloud` is made, not before, so that importing the sandbox stays cheap.
"""

from __future__ import annotations

from fleet.sandbox.cloud.app import Cloud
from fleet.sandbox.cloud.settings import CloudSettings

__all__ = ["Cloud", "CloudSettings"]

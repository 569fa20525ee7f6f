"""Imported by the fork server of `runs`: reads what every run would read again."""

from __future__ import annotations

import gc

from fleet.assets.shipped import load_catalogue, load_launch_texts
from tests.workflows import conftest, runs

for _service in ("ec2", "ssm", "sts", "service-quotas"):
    runs.warm_session().client(_service, region_name="us-east-1")
load_catalogue()
load_launch_texts()
conftest.spec()
gc.collect()
gc.freeze()  # a collection in a fork would look at, and copy, all that was read here

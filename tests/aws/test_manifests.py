"""Manifests of images in Parameter Store: written, replaced, read in their order, deleted."""

from __future__ import annotations

import pytest

from fleet.aws.manifests import delete_manifest, read_manifest, write_manifest
from fleet.errors import AwsError
from tests.aws.conftest import Region

pytestmark = pytest.mark.slow

IMAGE = "ami-0123456789abcdef0"
OURS = {"fleet:managed-by": "dl-fleet"}


def test_parts_come_back_in_their_order_page_by_page(region: Region) -> None:
    assert read_manifest(region.aws, image_id=IMAGE) == ()
    parts = tuple(f"{number}{'=' * 3990}" for number in range(23))
    write_manifest(region.aws, image_id=IMAGE, parts=parts, tags=OURS)
    assert read_manifest(region.aws, image_id=IMAGE) == parts
    pages = region.aws.ssm.get_paginator("describe_parameters").paginate(
        ParameterFilters=[{"Key": "tag:fleet:managed-by", "Values": ["dl-fleet"]}]
    )
    named = [one for page in pages for one in page["Parameters"]]
    assert f"/fleet-images/{IMAGE}/manifest/22" in {one["Name"] for one in named}
    assert len(named) == len(parts)


def test_a_manifest_that_is_written_again_is_the_new_one(region: Region) -> None:
    for parts in (("a", "b", "c"), ("a", "x"), ("a", "x", "y")):
        write_manifest(region.aws, image_id=IMAGE, parts=parts, tags=OURS)
        assert read_manifest(region.aws, image_id=IMAGE) == parts
    hooks = region.served.cloud.hooks
    before = len(hooks.calls)
    write_manifest(region.aws, image_id=IMAGE, parts=("a", "x", "y"), tags=OURS)
    assert [call.action for call in hooks.calls[before:]] == ["GetParametersByPath"]


def test_one_images_manifest_is_no_other_ones(region: Region) -> None:
    write_manifest(region.aws, image_id=IMAGE, parts=("a",), tags=OURS)
    write_manifest(region.aws, image_id=f"{IMAGE}1", parts=("b",), tags=OURS)
    delete_manifest(region.aws, image_id=IMAGE)
    delete_manifest(region.aws, image_id=IMAGE)
    assert read_manifest(region.aws, image_id=IMAGE) == ()
    assert read_manifest(region.aws, image_id=f"{IMAGE}1") == ("b",)


def test_a_part_that_is_too_long_is_refused(region: Region) -> None:
    with pytest.raises(AwsError, match="maximum parameter value of 4096"):
        write_manifest(region.aws, image_id=IMAGE, parts=("=" * 4097,), tags=OURS)

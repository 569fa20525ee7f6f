"""Address blocks of sandboxes."""

from __future__ import annotations

import pytest

from fleet.errors import SandboxError
from fleet.sandbox import addresses
from fleet.sandbox.addresses import Addresses, ssh_port


def test_blocks_differ_and_come_back() -> None:
    one, two = Addresses(), Addresses()
    assert one.network != two.network
    assert one.network.startswith("127.")
    one.close()
    three = Addresses()
    two.close()
    three.close()


def test_addresses_are_given_in_order_and_once() -> None:
    block = Addresses()
    prefix = block.network.removesuffix("0.0/16")
    given = [block() for _ in range(300)]
    assert given[:2] == [f"{prefix}0.1", f"{prefix}0.2"]
    assert given[254:257] == [f"{prefix}0.255", f"{prefix}1.0", f"{prefix}1.1"]
    assert len(set(given)) == 300
    for _ in range(65534 - 300):
        block()
    with pytest.raises(SandboxError, match="given away"):
        block()
    block.close()


def test_the_ssh_port_can_be_bound() -> None:
    block = Addresses()
    assert ssh_port(block.network) in addresses._SSH_PORTS
    block.close()

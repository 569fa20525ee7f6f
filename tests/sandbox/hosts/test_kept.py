"""A host that begins with the disk of another: what was installed there is here, under names of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .yard import Host, Yard

pytestmark = pytest.mark.slow


def furnish(host: Host) -> None:
    host.check("python3 -m venv --without-pip tool")
    host.check(
        "printf '#!%s\\nprint(42)\\n' $HOME/tool/bin/python >tool/bin/say && chmod +x tool/bin/say"
    )
    host.check(
        "ln -s $HOME/tool/bin/say said && mkfifo pipe && echo secret >.note && chmod 600 .note"
    )
    host.check("echo kept | sudo -n tee /opt/note >/dev/null")


def test_a_host_begins_with_what_was_kept(yard: Yard) -> None:
    first = yard.boot()
    furnish(first)
    yard.driver.keep(first.config.instance_id, "ami-1")
    first.check("rm -rf tool .note")
    second = yard.boot(kept_disk="ami-1")
    assert second.top != first.top
    assert second.check("~/said; tool/bin/say") == "42\n42\n"
    assert second.check("readlink said").strip() == str(second.top / "home/ubuntu/tool/bin/say")
    assert second.check("sudo -n cat /opt/note; stat -c %a .note; test ! -e pipe") == "kept\n600\n"
    assert second.check("hostname") != first.check("hostname")
    assert str(first.top) not in second.check("grep -rsI . tool/bin tool/pyvenv.cfg")


def test_it_has_host_keys_of_its_own_and_lets_both_in(yard: Yard) -> None:
    first = yard.boot()
    yard.driver.keep(first.config.instance_id, "ami-2")
    another = yard.new_key("another")
    second = yard.boot(
        kept_disk="ami-2", authorized_keys=(another.with_suffix(".pub").read_text(),)
    )
    keys = [
        (host.top / "root/etc/ssh/ssh_host_ed25519_key.pub").read_text() for host in (first, second)
    ]
    assert keys[0] != keys[1]
    assert second.check("wc -l < .ssh/authorized_keys").strip() == "2"
    with second.client(key=another):
        pass


def test_it_keeps_its_disk_when_that_is_forgotten(yard: Yard) -> None:
    first = yard.boot()
    first.check("echo there > note")
    yard.driver.keep(first.config.instance_id, "ami-3")
    second = yard.boot(kept_disk="ami-3")
    second.check("echo changed > note")
    yard.driver.forget("ami-3")
    yard.driver.power_off(second.config.instance_id)
    yard.boot(second.config)
    assert second.check("cat note") == "changed\n"
    assert first.check("cat note") == "there\n"

"""The link between a host and the VPC's bridge, and how it is made worse.

Takes the host's port at the bridge and what its link is to be; the kernel's nft and tc do it. Setting a link
again is saying anew how it is, never a change of what was.
"""

from __future__ import annotations

from dataclasses import dataclass

from fleet.errors import SandboxError, UsageError
from fleet.sandbox.containers.programs import run

RULES = """\
table bridge fleet {
  set cut { type ifname; }
  set unserved { type ifname; }
  map lossy { type ifname : verdict; }
  chain prerouting {
    type filter hook prerouting priority 0;
    iifname "h-*" meta protocol != { ip, arp } drop
    meta protocol ip iifname @cut drop
    iifname @unserved tcp dport PORT drop
    meta protocol ip iifname vmap @lossy
  }
  chain forward {
    type filter hook forward priority 0;
    meta protocol ip oifname @cut drop
    meta protocol ip oifname vmap @lossy
    iifname "h-*" oifname "h-*" drop
    iifname "h-*" oifname "uplink" ip protocol tcp tcp flags & (syn | ack) == syn drop
    iifname "h-*" oifname "uplink" ip protocol { udp, icmp } drop
  }
  chain output {
    type filter hook output priority 0;
    meta protocol ip oifname @cut drop
    meta protocol ip oifname vmap @lossy
  }
}
"""
"""Of the bridge. PORT is the package index's."""
_BURST = "32kb"


@dataclass(frozen=True)
class Link:
    """How a host's link is: `rate` in tc's words (2mbit), `loss` in per mille each way.

    `cut`: every packet is lost, in silence. `unserved`: nobody answers where the package index is.
    """

    cut: bool = False
    unserved: bool = False
    rate: str = ""
    delay_ms: int = 0
    loss: int = 0

    @property
    def words(self) -> str:
        """Such as "cut, 30% lost"; "whole" where nothing is wrong."""
        told = {
            "cut": self.cut,
            "no packages": self.unserved,
            self.rate: self.rate,
            f"{self.delay_ms} ms late": self.delay_ms,
            f"{self.loss / 10:g}% lost": self.loss,
        }
        return ", ".join(text for text, so in told.items() if so) or "whole"


WHOLE = Link()


@dataclass(frozen=True)
class Ends:
    """Both ends of a host's link: the bridge's `vpc` and `port`, and the namespace `space` of the host."""

    vpc: str
    port: str
    space: str

    def set(self, link: Link) -> None:
        """Make the link so. Raises UsageError where this kernel cannot."""
        self._forget()
        rules = [f"add element bridge fleet cut {{ {self.port} }}"] if link.cut else []
        if link.unserved:
            rules.append(f"add element bridge fleet unserved {{ {self.port} }}")
        if link.loss:
            rules += (
                f"add chain bridge fleet {self._chain}",
                f"add rule bridge fleet {self._chain} numgen random mod 1000 < {link.loss} drop",
                f"add element bridge fleet lossy {{ {self.port} : jump {self._chain} }}",
            )
        if rules:
            self._nft("\n".join(rules))
        for space, device in self._devices:
            _shape(("tc", "-n", space, "qdisc", "replace", "dev", device, "root"), link)

    @property
    def _chain(self) -> str:
        return f"loss-{self.port}"

    @property
    def _devices(self) -> tuple[tuple[str, str], ...]:
        return (self.vpc, self.port), (self.space, "host0")

    def _forget(self) -> None:
        for space, device in self._devices:
            without("tc", "-n", space, "qdisc", "del", "dev", device, "root")
        for line in (
            f"delete element bridge fleet cut {{ {self.port} }}",
            f"delete element bridge fleet unserved {{ {self.port} }}",
            f"delete element bridge fleet lossy {{ {self.port} }}",
            f"delete chain bridge fleet {self._chain}",
        ):
            without("ip", "netns", "exec", self.vpc, "nft", line)

    def _nft(self, rules: str) -> None:
        run("ip", "netns", "exec", self.vpc, "nft", "-f", "-", given=rules)


def _shape(words: tuple[str, ...], link: Link) -> None:
    if link.delay_ms:
        rate = ("rate", link.rate) if link.rate else ()
        _delay((*words, "netem", "delay", f"{link.delay_ms}ms", *rate))
    elif link.rate:
        run(*words, "tbf", "rate", link.rate, "burst", _BURST, "latency", "400ms")


def _delay(words: tuple[str, ...]) -> None:
    try:
        run(*words)
    except SandboxError as error:
        if "kind is unknown" not in error.message:
            raise
        raise UsageError(
            "this kernel cannot delay packets (it lacks sch_netem)",
            remedy="use `slow --rate` and `loss`",
        ) from error


def without(*words: str) -> None:
    """Take something away that may not be there."""
    try:
        run(*words)
    except SandboxError:
        return

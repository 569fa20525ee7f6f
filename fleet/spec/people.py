"""Who is in the fleet: the rules for names, SSH keys and e-mail addresses, and names from a count.

Takes texts as written, gives them in canonical form or raises RefusedError. No message repeats a
key.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Sequence

from fleet.spec.refusal import Objection, RefusedError, refuse, shown

MOST_MEMBERS = 1000
LONGEST_NAME = 64
KEY_TYPES = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)

# Persian, Arabic and several Indic scripts spell with the zero-width joiner and non-joiner.
_JOINERS = "\u200c\u200d"
_EMAIL = re.compile(r"[^\s@,;:<>()\[\]\"\\]+@[^\s@,;:<>()\[\]\"\\]+")


def member_name(text: str) -> str:
    """A person's name in the fleet, NFC-normalised: accents, blanks and quotes are welcome.

    Not taken is what one line cannot show, what a path would take apart, and what a command line
    would read as an option. Everything else is for the layers to quote.
    """
    name = unicodedata.normalize("NFC", text)
    if not name.strip():
        raise refuse("is an empty name", "write a name, such as ana")
    if len(name) > LONGEST_NAME:
        raise refuse(f"{shown(name)} has {len(name)} characters", f"write {LONGEST_NAME} at most")
    if name != name.strip():
        raise refuse(f"{shown(name)} begins or ends with a blank", f"write {shown(name.strip())}")
    if unprintable := [c for c in name if not c.isprintable() and c not in _JOINERS]:
        code = f"U+{ord(unprintable[0]):04X}"
        raise refuse(f"{shown(name)} has the invisible character {code}", "remove that character")
    if "/" in name or "\\" in name:
        raise refuse(f"{shown(name)} has a slash in it", "write it without '/' and '\\'")
    if name[0] in "-.":
        raise refuse(f"{shown(name)} begins with '{name[0]}'", "begin it with a letter or a digit")
    return name


def ssh_key(text: str) -> str:
    """One line of an OpenSSH public key file, without options; blanks around it are dropped."""
    key = text.strip()
    refuse_private_key(key)
    fields = key.split(None, 2)
    if len(key.splitlines()) != 1 or len(fields) < 2 or not key.isprintable():
        raise refuse("is not one line of a public key", "copy the line of ~/.ssh/id_ed25519.pub")
    if fields[0] not in KEY_TYPES:
        raise refuse(
            "does not begin with a type of key that OpenSSH accepts, such as ssh-ed25519",
            "make one with ssh-keygen -t ed25519 and copy the line of the .pub file",
        )
    if not _holds(fields[1], fields[0]):
        raise refuse("is cut off or changed", "copy the whole line of the .pub file again")
    return key


def refuse_private_key(text: str) -> None:
    """A private key in a shared file is spent: whoever can read the file can be that person."""
    if "PRIVATE KEY" in text or "PuTTY-User-Key-File" in text:
        raise refuse(
            "is a PRIVATE key, which everyone who saw this file can now use",
            "delete it, make a new pair with ssh-keygen -t ed25519, and give the .pub line only",
        )


def email(text: str) -> str:
    """An address to send the hand-out to; its form is looked at, nothing is sent."""
    address = text.strip()
    if len(address) <= 254 and address.isprintable() and _EMAIL.fullmatch(address):
        return address
    raise refuse(f"{shown(text)} is not an e-mail address", "write it like ana@example.org")


def distinct_names(names: Sequence[str]) -> None:
    """Refuse each name that is there already; upper and lower case are the same name."""
    seen: dict[str, str] = {}
    twice = []
    for index, name in enumerate(unicodedata.normalize("NFC", each) for each in names):
        if not name.strip():
            continue
        folded = unicodedata.normalize("NFKC", name).casefold()
        if folded in seen:
            same = (
                "is there twice"
                if seen[folded] == name
                else f"is also there as {shown(seen[folded])}"
            )
            twice.append(
                Objection(f"{shown(name)} {same}", "give each person a name of their own", (index,))
            )
        seen.setdefault(folded, name)
    if twice:
        raise RefusedError(*twice)


def numbered(count: int) -> tuple[str, ...]:
    """`env-01` to `env-20` for 20: as many digits as the last one needs, two at least."""
    if count < 1:
        raise refuse(f"is {count}, so nobody would get an environment", "write 1 or more")
    if count > MOST_MEMBERS:
        raise refuse(
            f"is {count}, and a fleet has {MOST_MEMBERS} members at most", "make two fleets"
        )
    width = max(2, len(str(count)))
    return tuple(f"env-{number:0{width}d}" for number in range(1, count + 1))


def _holds(blob: str, key_type: str) -> bool:
    """Whether the base64 part holds the type's own name (RFC 4253 section 6.6) and a key."""
    try:
        raw = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError):
        return False
    head = len(key_type).to_bytes(4, "big") + key_type.encode()
    return raw.startswith(head) and len(raw) >= len(head) + 32

"""Looks for secrets in a tar of a host's files, which comes on stdin; on descriptor 4 come, as JSON, those we know of.

Runs on the host with the standard library of Python 3.9. Prints a line of JSON for each finding, {"path", "line",
"what"}, never the secret, and {"files": COUNT} at the end: without that line it has not looked at everything.
The forms of tokens are those that their issuers publish (GitHub's secret scanning names most of them).
"""

from __future__ import annotations

import json
import os
import re
import sys
import tarfile
from collections.abc import Iterator, Sequence
from typing import IO

Hit = tuple[int, str]
_MOST_PER_FILE = 20
_AROUND = rb"(?<![A-Za-z0-9_+/-])%s(?![A-Za-z0-9_+/-])"


def _form(text: bytes) -> re.Pattern[bytes]:
    return re.compile(_AROUND % text)


# What it is, what is always in it (which is fast to look for), and its form.
TOKENS: tuple[tuple[str, tuple[bytes, ...], re.Pattern[bytes]], ...] = (
    (
        "an AWS access key id",
        (b"AKIA", b"ASIA"),
        _form(rb"(?:AKIA|ASIA)[A-Z0-9]{16}"),
    ),
    (
        "a private key",
        (b"PRIVATE KEY",),
        re.compile(
            rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\\[nr]|\s)*"
            rb"(?:[A-Za-z-]+: [^\n]*\s+)*[A-Za-z0-9+/=]{32}"
        ),
    ),
    ("a private key of PuTTY", (b"PuTTY-User-Key-File",), re.compile(rb"PuTTY-User-Key-File-\d:")),
    (
        "a GitHub token",
        (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_"),
        _form(rb"(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{36,255})"),
    ),
    (
        "a GitLab token",
        (b"gl",),
        _form(rb"gl(?:pat|dt|rt|ptt|cbt|ft|soat|agent|imt)-[A-Za-z0-9_-]{20,300}"),
    ),
    ("a Hugging Face token", (b"hf_",), _form(rb"hf_[A-Za-z0-9]{34}")),
    ("a Slack token", (b"xox", b"xapp-"), _form(rb"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{20,300}")),
    (
        "a Slack webhook",
        (b"hooks.slack.com/",),
        re.compile(rb"hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{20}"),
    ),
    (
        "an OpenAI key",
        (b"sk-",),
        _form(rb"sk-(?:[A-Za-z0-9_-]{10,150}T3BlbkFJ[A-Za-z0-9_-]{10,150}|[A-Za-z0-9]{48})"),
    ),
    ("an Anthropic key", (b"sk-ant-",), _form(rb"sk-ant-[a-z0-9]+-[A-Za-z0-9_-]{24,200}")),
    ("a Google API key", (b"AIza",), _form(rb"AIza[A-Za-z0-9_-]{35}")),
    (
        "a Google OAuth token",
        (b"ya29.", b"GOCSPX-"),
        _form(rb"(?:ya29\.|GOCSPX-)[A-Za-z0-9_-]{20,}"),
    ),
    ("a PyPI token", (b"pypi-",), _form(rb"pypi-AgE[A-Za-z0-9_-]{50,}")),
    ("an npm token", (b"npm_",), _form(rb"npm_[A-Za-z0-9]{36}")),
    ("a Docker Hub token", (b"dckr_pat_",), _form(rb"dckr_pat_[A-Za-z0-9_-]{20,}")),
    ("an Azure storage key", (b"AccountKey=",), re.compile(rb"AccountKey=[A-Za-z0-9+/]{86}==")),
    ("a Stripe key", (b"k_live_",), _form(rb"[sr]k_live_[A-Za-z0-9]{20,}")),
)
_SECRET = re.compile(rb"(?i)secret")
_AWS_SECRET = re.compile(
    rb"(?i:secret_?(?:access_?)?key)\W{1,6}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])"
)
_URL = re.compile(rb"[a-z]://[^\s/:@\"'<>{}$]{0,128}:([^\s/@\"'<>{}$]{3,256})@[A-Za-z0-9\[]")
# In histories, rc files and files of environment variables whatever is called a secret is one.
_NAMED = re.compile(
    rb"(?im)(?:^|[\s;&|\"'(=])(?:[A-Za-z0-9_.-]*[_.-])?"
    rb"(?:token|secret|passw(?:or)?d|passphrase|credentials?|api_?key|access_?key|secret_?key|private_?key|auth_?key)"
    rb"(?:_(?:id|key|value|access_key))?[\"']?\]?[ \t]{0,2}[=:][ \t]{0,2}"
    rb"(\"[^\"\n]*\"|'[^'\n]*'|[^\s;&|\"']+)"
)
_OPTION = re.compile(
    rb"(?i)(?:--(?:password|passwd|token|secret|api-?key|with-token)[= ]|authorization: *(?:bearer|basic|token) +)"
    rb"(\"[^\"\n]*\"|'[^'\n]*'|[^\s;&|\"']+)"
)
_ENVIRONMENT = re.compile(
    r"/etc/(environment|profile|bash\.bashrc|bashrc|security/pam_env\.conf|crontab)$"
    r"|/etc/(environment\.d|profile\.d|default|sysconfig|cron[^/]*|systemd/system)/"
    r"|/var/spool/cron/"
    r"|/\.(bash|z|k|c|tc)?(sh)?(rc|env|profile|_profile|_login|_logout|_aliases|login)$|/\.(envrc|pam_environment|condarc)$"
    r"|(^|/)[^/]*\.env(\.[^/]*)?$|/environment\.d/|/\.config/fish/|/\.ipython/.*/startup/"
)
_HISTORY = re.compile(
    r"/\.\w+_history$|/fish_history$|/\.histfile$|/\.ipython/.*/history\.sqlite|/\.(viminfo|lesshst)$"
)
_PLACEHOLDER = re.compile(
    rb"(?i)example|placeholder|change.?me|your|redacted|dummy|^(x+|\*+|\.+|-+|pass|passw(or)?d|secret|token|key|none|null|"
    rb"true|false|yes|no|on|off|test|foo|bar|prompt|stdin)$|^[$<{%`(\[]|^/|^~|^\.{1,2}/|^\w+://[^@]*$"
)
# Where the whole file, or what stands at such a place of it, is a secret.
_PLACES: tuple[tuple[str, re.Pattern[str], re.Pattern[bytes]], ...] = (
    ("a password", re.compile(r"/[._]netrc$"), re.compile(rb"(?m)\bpassword\s+(\S+)")),
    (
        "a password",
        re.compile(r"/\.git-credentials$|/git/credentials$"),
        re.compile(rb"://[^\s/]+@"),
    ),
    (
        "a login of a container registry",
        re.compile(r"/(\.docker/config\.json|\.dockercfg|containers/auth\.json)$"),
        re.compile(rb'"(?:auth|identitytoken|password)"\s*:\s*"[^"]{8,}"'),
    ),
    ("a Kaggle key", re.compile(r"/kaggle\.json$"), re.compile(rb'"key"\s*:\s*"[^"]{8,}"')),
    (
        "a Hugging Face token",
        re.compile(r"/\.?huggingface/(token|stored_tokens)$"),
        re.compile(rb"\S{8,}"),
    ),
    (
        "a GitHub login",
        re.compile(r"/(gh/hosts\.yml|config/hub)$"),
        re.compile(rb"oauth_token:\s*\S+"),
    ),
    ("a password", re.compile(r"/\.pgpass$"), re.compile(rb"(?m)^[^#\n]*:[^:\n]+$")),
    (
        "a password",
        re.compile(r"/\.(my\.cnf|pypirc)$"),
        re.compile(rb"(?m)^\s*password\s*[=:]\s*\S+"),
    ),
    (
        "an npm token",
        re.compile(r"/\.npmrc$"),
        re.compile(rb"_(?:authToken|password|auth)\s*=\s*[^\s$]+"),
    ),
    (
        "AWS credentials",
        re.compile(r"/\.aws/(credentials|(sso|cli|login)/cache/)"),
        re.compile(rb"\S{16,}"),
    ),
    (
        "a login of a cloud",
        re.compile(
            r"/gcloud/(credentials|access_tokens)\.db$|/gcloud/(legacy_credentials/|application_default_credentials)"
            r"|/\.azure/(accessTokens|msal_token_cache|service_principal_entries)"
        ),
        re.compile(rb"\S{16,}"),
    ),
    (
        "a password's hash",
        re.compile(r"^/etc/g?shadow-?$"),
        re.compile(rb"(?m)^[^:\n]+:(?:\$|[A-Za-z0-9./]{13})[^:\n]*"),
    ),
)
# What a host in use needs itself: no finding before it is sanitised.
_OURS = re.compile(
    r"/\.fleet/(token|server\.pem|cookie_secret\.\w+|asked\.json|bake/.*)$|^/etc/ssh/ssh_host_\w+$"
    r"|/\.local/share/jupyter/(runtime/.*|notebook_secret|notebook_cookie_secret|nbsignatures\.db.*)$"
    r"|^/var/lib/cloud/instances?/|^/var/lib/(amazon/ssm|fwupd/pki)/"
)
# Made by packages when the base image was, placeholders and what signs a driver's modules: all who have it have them.
_PUBLIC = re.compile(
    r"^/etc/ssl/private/ssl-cert-snakeoil\.key$|^/etc/pki/tls/private/localhost\.key$"
    r"|^/var/lib/dkms/mok\.key$|^/var/lib/shim-signed/mok/"
)
# What of one instance may not be in the next; a file that is empty is none.
_LEFT: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("who may log in", re.compile(r"/\.ssh/authorized_keys\d?$")),
    ("an SSH host key", re.compile(r"^/etc/ssh/ssh_host_")),
    (
        "of this instance's environment",
        re.compile(
            r"/\.fleet/(?!(?:watchers|jupyter|kernels|uv|tensorflow|pytorch|mxnet|probe|packages|probed)(?:/|$))"
        ),
    ),
    ("this instance's end", re.compile(r"^/etc/fleet/|/\.fleet/watchers/expires-at|/stamp-fleet-")),
    ("a service of this instance", re.compile(r"^/etc/systemd/system/(.*/)?fleet-")),
    ("what somebody typed", _HISTORY),
    (
        "a session of Jupyter",
        re.compile(r"/\.local/share/jupyter/(runtime/|notebook_secret|notebook_cookie_secret)"),
    ),
    ("this instance's state", re.compile(r"^/var/lib/cloud/(instances?|data|sem)/")),
    ("this instance's id", re.compile(r"^/etc/machine-id$|^/var/lib/dbus/machine-id$")),
    ("this instance's seed", re.compile(r"^/var/lib/systemd/(random-seed|credential\.secret)$")),
)


def pieces(known: Sequence[str]) -> list[bytes]:
    """What is looked for of the secrets that we know: of a key in PEM a line from its middle."""
    found = []
    for secret in known:
        lines = [line for line in secret.splitlines() if line and not line.startswith("-----")]
        if lines and len(lines[len(lines) // 2]) >= 8:
            found.append(lines[len(lines) // 2].encode())
    return found


def _is_placeholder(value: bytes) -> bool:
    return bool(_PLACEHOLDER.search(value)) or len(set(value)) < 3


def _named(data: bytes) -> Iterator[Hit]:
    for form in (_NAMED, _OPTION):
        for hit in form.finditer(data):
            value = hit[1].strip(b"\"'")
            if len(value) >= 6 and not _is_placeholder(value):
                yield hit.start(1), "a value that is called a secret"


def hits(path: str, data: bytes, known: Sequence[bytes]) -> Iterator[Hit]:
    """Where in a file's content a secret begins, and what it is."""
    yield from ((data.find(one), "a secret of this environment") for one in known if one in data)
    yield from _tokens(data)
    for what, place, content in _PLACES:
        hit = content.search(data) if place.search(path) else None
        if hit:
            yield hit.start(), what
    if _ENVIRONMENT.search(path) or _HISTORY.search(path):
        yield from _named(data)


def _tokens(data: bytes) -> Iterator[Hit]:
    for what, needles, form in TOKENS:
        if any(needle in data for needle in needles):
            yield from ((h.start(), what) for h in form.finditer(data) if not _is_placeholder(h[0]))
    if _SECRET.search(data):
        for hit in _AWS_SECRET.finditer(data):
            if b"EXAMPLE" not in hit[1]:
                yield hit.start(1), "an AWS secret access key"
    if b"://" in data:
        for hit in _URL.finditer(data):
            if not _is_placeholder(hit[1]):
                yield hit.start(1), "a password in a URL"


def findings(
    path: str, data: bytes, known: Sequence[bytes], *, sanitised: bool
) -> list[tuple[int, str]]:
    """The line and kind of each finding in a file; line 0 is the file as a whole."""
    if _PUBLIC.search(path) or (not sanitised and _OURS.search(path)):
        return []
    found = {
        (data.count(b"\n", 0, at) + 1 if b"\0" not in data[:4096] else 0, what)
        for at, what in hits(path, data, known)
    }
    if sanitised and data.strip():
        found |= {(0, what) for what, place in _LEFT if place.search(path)}
    return sorted(found)[:_MOST_PER_FILE]


def shown(path: str) -> str:
    """A path as one line that every terminal takes."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def scan(
    stream: IO[bytes], known: Sequence[bytes], *, sanitised: bool
) -> Iterator[dict[str, object]]:
    """Go through a tar; raises tarfile.ReadError where it breaks off."""
    count = 0
    with tarfile.open(
        fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape"
    ) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is None:
                continue
            count += 1
            path = "/" + member.name.lstrip("/")
            for line, what in findings(path, content.read(), known, sanitised=sanitised):
                yield {"path": shown(path), "line": line, "what": what}
    yield {"files": count}


def main(sanitised: bool) -> int:  # noqa: FBT001 - the program's one argument
    """Print the findings."""
    with os.fdopen(4, "rb") as given:
        known = pieces(json.loads(given.read() or b"[]"))
    for told in scan(sys.stdin.buffer, known, sanitised=sanitised):
        print(json.dumps(told), flush=True)  # noqa: T201 - it is what this program is for
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] == ["sanitised"]))

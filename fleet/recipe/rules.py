"""What package managers, Git, HTTPS and EC2's images take: a small function each.

Takes the text as written, gives it back in its one canonical form, or raises RefusedError with what to write instead.
"""

from __future__ import annotations

import re

from fleet.spec import rules
from fleet.spec.refusal import refuse, shown

# The builder's fleet is called bake-NAME, and a fleet's name has 31 characters at most.
NAME_PATTERN = r"^[a-z][a-z0-9-]{0,25}$"
APT_PATTERN = r"^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=[A-Za-z0-9][A-Za-z0-9.+:~-]*)?$"
DNF_PATTERN = r"^@?[A-Za-z0-9][A-Za-z0-9+._:~^-]*$"
CONDA_PATTERN = (
    r"^([A-Za-z0-9][A-Za-z0-9._-]*::)?[A-Za-z0-9_][A-Za-z0-9._-]*"
    r"((===?|=|~=|!=|<=|>=|<|>)[A-Za-z0-9][A-Za-z0-9.*+!_=<>,|~-]*)?$"
)
ENVIRONMENT_PATTERN = r"^[a-z][a-z0-9_-]{0,30}$"
URL_PATTERN = r"^https://[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?(/[!-~]*)?$"
CHANNEL_PATTERN = (
    r"^([A-Za-z0-9][A-Za-z0-9._/-]*|https://[A-Za-z0-9][A-Za-z0-9.-]*(/[A-Za-z0-9._~/-]*)?)$"
)
REF_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._/+-]*$"
SHA256_PATTERN = r"^[0-9A-Fa-f]{64}$"
MODULE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
NOTEBOOK_PATTERN = r"\.ipynb$"
TARGET_PATTERN = r"^(~|/[^/\x00-\x1f\x7f]+)(/[^/\x00-\x1f\x7f]+)*/?$"
SEARCHED_PATTERN = r"^(~/|/)[^\x00-\x1f\x7f]+$"
ACCOUNT_PATTERN = r"^[0-9]{12}$"
# "3-128 alphanumeric characters, parentheses, square brackets, spaces, periods, slashes, dashes, single quotes,
# at-signs, or underscores": the EC2 API reference on CreateImage.
OUTPUT_PATTERN = r"^\{recipe\}-([A-Za-z0-9()\[\] ./'@_-]|\{(recipe|date|time|digest)\})+$"

# The bake cleans these before it makes the image.
_CLEANED = ("~/.ssh", "~/.aws", "~/.fleet")
_PASSING = ("/dev", "/proc", "/run", "/sys", "/tmp")  # noqa: S108 - named in order to be refused


def recipe_name(text: str) -> str:
    """The recipe's name: images, their tags and the builder's fleet are called by it."""
    if fits(NAME_PATTERN, text):
        return text
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-0123456789")[:26].rstrip("-")
    message = f"{shown(text)} is not a name of 1 to 26 letters a-z, digits and '-', a letter first"
    raise refuse(message, f"write it like {slug or 'pytorch-team'}")


def searched_path(text: str) -> str:
    """A path on the builder, or a pattern of paths with `*` and `?`: absolute, or below a home."""
    if fits(SEARCHED_PATTERN, text) and text.strip("*?/~"):
        return text
    message = f"{shown(text)} is neither an absolute path nor one below ~"
    raise refuse(message, "write it like /opt/vendor/test-key.pem")


def apt_package(text: str) -> str:
    """A Debian package, with or without a version (`git=1:2.43.0-1ubuntu7`)."""
    return _package(text, APT_PATTERN, "apt", "git")


def dnf_package(text: str) -> str:
    """An RPM package with or without a version, or a group (`@development-tools`)."""
    return _package(text, DNF_PATTERN, "dnf", "git")


def conda_package(text: str) -> str:
    """A conda package with or without channel and version (`conda-forge::numpy=2.2`)."""
    return _package(text, CONDA_PATTERN, "conda", "numpy=2.2")


def environment(text: str) -> str:
    """The name of a venv or of a conda environment."""
    if fits(ENVIRONMENT_PATTERN, text):
        return text
    slug = re.sub(r"[^a-z0-9_]+", "-", text.lower().rsplit("/", 1)[-1]).strip("-0123456789_")
    message = f"{shown(text)} is not a name of 1 to 31 letters a-z, digits, '_' and '-'"
    raise refuse(message, f"write it like {slug[:31] or 'team'}")


def https_url(text: str) -> str:
    """A URL over https and without a secret in it."""
    host = text.partition("://")[2].partition("/")[0]
    if "@" in host:
        message = f"has a user name or a secret before {shown(host.rpartition('@')[2])}"
        raise refuse(message, "remove it, and revoke it if it is a token")
    if fits(URL_PATTERN, text):
        return text
    if text.startswith("http://") and fits(URL_PATTERN, f"https{text[4:]}"):
        raise refuse(f"{shown(text)} is not encrypted", f"write https{text[4:]}")
    raise refuse(f"{shown(text)} is not a URL", "write it like https://example.org/weights.bin")


def channel(text: str) -> str:
    """A conda channel: its name, or its URL."""
    if fits(CHANNEL_PATTERN, text):
        return text
    raise refuse("has what is not a channel", "write a name, such as conda-forge, or its https URL")


def git_ref(text: str) -> str:
    """A branch, a tag, or a commit."""
    if fits(REF_PATTERN, text) and ".." not in text and not text.endswith((".lock", "/", ".")):
        return text
    raise refuse(f"{shown(text)} is not a branch, tag or commit", "write it like main or v2.1")


def sha256(text: str) -> str:
    """SHA-256 in 64 hex digits."""
    if fits(SHA256_PATTERN, text):
        return text.lower()
    message = f"{shown(text)} is not the 64 hex digits of a SHA-256"
    raise refuse(message, "write what sha256sum prints for the file")


def module(text: str) -> str:
    """A Python module as `import` takes it."""
    if fits(MODULE_PATTERN, text):
        return text
    near = re.sub(r"[^A-Za-z0-9_.]+", "_", text).strip("_.")
    example = near if fits(MODULE_PATTERN, near) else "torch"
    raise refuse(f"{shown(text)} is not a module's name", f"write it like {example}")


def notebook(text: str) -> str:
    """A local path to a notebook."""
    path = rules.local_path(text)
    if path.endswith(".ipynb"):
        return path
    raise refuse(f"{shown(text)} is not a notebook", "name a file that ends in .ipynb")


def target(text: str) -> str:
    """A place on the builder that the image keeps: under the home, or an absolute path."""
    if not fits(TARGET_PATTERN, text) or ".." in text.split("/") or "." in text.split("/"):
        last = re.sub(r"[^A-Za-z0-9._-]", "", text.rstrip("/").rsplit("/", 1)[-1]).strip(".")
        message = f"{shown(text)} is neither under the home nor an absolute path"
        raise refuse(message, f"write it like ~/{last or 'data'} or /opt/{last or 'data'}")
    path = text.rstrip("/")
    if _within(path, _CLEANED):
        raise refuse(f"{shown(text)} is cleaned before the image is made", "name another place")
    if _within(path, _PASSING):
        raise refuse(f"{shown(text)} is empty after each start", "name another place, like /opt")
    return path


def target_below(text: str) -> str:
    """As `target`, but not the home itself: one file or one repository goes there."""
    path = target(text)
    if path == "~":
        raise refuse("is the home itself", "write it with a name, like ~/data")
    return path


def command(text: str) -> str:
    """What a shell is to run: some text without control characters."""
    if not text.strip():
        raise refuse("is empty", "write a command, such as nvidia-smi")
    if strange := next((c for c in text if not c.isprintable() and c not in "\n\t"), ""):
        raise refuse(f"has the character U+{ord(strange):04X}", "remove it")
    return text


def expected(text: str) -> str:
    """A text that a command's output must have in it."""
    if text.strip():
        return text
    raise refuse("is empty", "write what the output must have in it, or remove the key")


def account(text: str) -> str:
    """An AWS account's number; 12 digits, some of which may be zeros at its front."""
    if fits(ACCOUNT_PATTERN, text):
        return text
    digits = re.sub(r"[ -]", "", text)
    if fits(ACCOUNT_PATTERN, digits):
        raise refuse(f"{shown(text)} is not written as AWS does", f'write "{digits}"')
    raise refuse(
        f"{shown(text)} is not the 12 digits of an AWS account", 'write it like "123456789012"'
    )


def output_name(text: str) -> str:
    """The pattern of the images' names. It begins with the recipe's, which finds them by it."""
    if not text.startswith("{recipe}-"):
        raise refuse(
            f"{shown(text)} does not begin with {{recipe}}-", 'write "{recipe}-{date}-{digest}"'
        )
    for field in re.findall(r"\{([^{}]*)\}", text):
        if field not in ("recipe", "date", "time", "digest"):
            message = f"{shown(text)} has the unknown field {{{field[:20]}}}"
            raise refuse(message, "write {recipe}, {date}, {time} or {digest}")
    if not fits(OUTPUT_PATTERN, text):
        message = f"{shown(text)} has a character that EC2 does not take in an image's name"
        raise refuse(message, "keep letters, digits, blanks and ( ) [ ] . / - ' @ _")
    if not re.search(r"\{(date|time|digest)\}", text):
        raise refuse(f"{shown(text)} is the same for each image", "add {digest}, {date} or {time}")
    return text


def fits(pattern: str, text: str) -> bool:
    """Whether a pattern, which may be anchored for the JSON Schema, describes a whole text."""
    return re.fullmatch(pattern.removeprefix("^").removesuffix("$"), text) is not None


def _package(text: str, pattern: str, tool: str, example: str) -> str:
    if fits(pattern, text):
        return text
    if text.startswith("-"):
        raise refuse(
            f"{shown(text)} is an option of {tool}", f"name packages only, such as {example}"
        )
    if "://" in text:
        # What is in a URL is not repeated: it may be a token.
        raise refuse("has a URL where a package's name belongs", "write the name, or use download:")
    words = text.split()
    if len(words) > 1 and all(fits(pattern, word) and word[0].isalpha() for word in words):
        raise refuse(f"{shown(text)} is more than one package", f"write [{', '.join(words)}]")
    raise refuse(f"{shown(text)} is not a package of {tool}", f"write it like {example}")


def _within(path: str, folders: tuple[str, ...]) -> bool:
    return path in folders or path.startswith(tuple(f"{folder}/" for folder in folders))

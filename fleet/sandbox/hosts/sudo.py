"""`sudo` of one host: a fixed list of commands, on the host's own files. Pure, but for looking at
the disk.

Nothing runs with more rights than the person who started the sandbox; what would touch the machine
is refused.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable

from fleet.sandbox.hosts import searching
from fleet.sandbox.hosts.commands import Answer, Become, Reply, Request, failed
from fleet.sandbox.hosts.paths import HostPaths, below
from fleet.sandbox.hosts.refusals import Refusal

_READERS = frozenset({"cat", "test", "["})
_WRITERS = frozenset("tee install mkdir cp mv rm chmod ln sed touch truncate".split())
_SEARCHERS = {"find": searching.find, "tar": searching.tar}
_NOTHING = frozenset({"true", "chown", "chgrp"})
_LENT = ("/usr", "/lib", "/lib64", "/bin", "/sbin")
_ALONE = ("-n", "-E", "-H", "-S", "-k", "-i", "-s", "-b", "--non-interactive", "--preserve-env")
_VALUED = ("-u", "-g", "-p", "-h", "--user", "--group")


def _options(words: list[str], users: tuple[str, ...]) -> list[str]:
    """Drop sudo's own options and assignments; what is left is the command."""
    while words and (words[0].startswith("-") or re.match(r"\w+=", words[0])):
        word = words.pop(0)
        option, equals, value = word.partition("=")
        if word == "--":
            break
        if option in _VALUED:
            user = value if equals else (words.pop(0) if words else "")
            if option in {"-u", "--user"} and user not in users:
                raise Refusal(f"unknown user {user}: this host has {' and '.join(users)}")
        elif option in {"-i", "-s"}:
            raise Refusal("a root shell is not to be had here: name the command")
        elif option.startswith("-") and option not in {*_ALONE, "-v", "-l", "-K"}:
            raise Refusal(f"option {word} is not known here")
    return words


class Sudo:
    """Decides what becomes of one call."""

    def __init__(self, paths: HostPaths, standin: Callable[[str], str | None]) -> None:
        self._paths = paths
        self._standin = standin

    async def sudo(self, request: Request) -> Answer:
        """Answer one call of sudo."""
        try:
            words = _options(list(request.arguments), ("root", self._paths.user))
            return self._run(words, request.directory)
        except Refusal as refusal:
            return failed(request, str(refusal))

    def _run(self, words: list[str], directory: str) -> Answer:
        if not words or os.path.basename(words[0]) in _NOTHING:  # a word, not a file
            return Reply()
        name, arguments = os.path.basename(words[0]), words[1:]
        standin = self._standin(name)
        if standin:
            return Become(standin, (standin, *arguments))
        if name not in _READERS | _WRITERS | _SEARCHERS.keys():
            raise Refusal(
                f"{name} is not among what a sandbox host runs as root: "
                + ", ".join(sorted(_READERS | _WRITERS | _NOTHING | _SEARCHERS.keys()))
                + ", and its own systemctl, shutdown, apt-get and the like"
            )
        program = shutil.which(name, path="/usr/bin:/bin")
        if program is None:
            raise Refusal(f"{name}: command not found")
        if not self._own(directory):
            mapped = self._paths.real(directory)
            directory = mapped if os.path.isdir(mapped) else str(self._paths.home)
        if name in _SEARCHERS:
            found = list(_SEARCHERS[name](self._paths, arguments))
            return Become(program, (name, *found), directory)
        return Become(program, (name, *self._arguments(name, arguments, directory)), directory)

    def _arguments(self, name: str, arguments: list[str], directory: str) -> list[str]:
        found: list[str] = []
        script = name == "sed" and not any(
            word.startswith(("-e", "--expression")) for word in arguments
        )
        for word in _without_owner(arguments) if name == "install" else arguments:
            if script and not word.startswith("-"):
                found.append(word)
                script = False
            else:
                found.append(self._word(name, word, directory))
        return found

    def _own(self, path: str) -> bool:
        return below(path, str(self._paths.top)) or below(path, "/tmp")  # noqa: S108 - compared

    def _word(self, name: str, word: str, directory: str) -> str:
        """One argument, with the file that it names made the host's own."""
        head, equals, tail = word.partition("=")
        if word.startswith("/"):
            return self._file(name, word)
        if head.startswith("-") and equals and tail.startswith("/"):
            return f"{head}={self._file(name, tail)}"
        if word.startswith("-") and "/" in word and name != "sed":
            raise Refusal(f"{word}: write the option and its path apart")
        if ".." in word.split("/"):
            whole = os.path.normpath(os.path.join(directory, word))
            return whole if self._own(whole) else self._file(name, whole)
        return word

    def _file(self, name: str, path: str) -> str:
        real = self._paths.real(path)
        parent = os.path.realpath(os.path.dirname(real))
        if name in _WRITERS and below(real, str(self._paths.top)) and not self._own(parent):
            raise Refusal(f"{path} leads out of this host")
        lent = name in _READERS and any(below(os.path.normpath(path), top) for top in _LENT)
        return path if lent and not os.path.lexists(real) else real


def _without_owner(arguments: list[str]) -> list[str]:
    """`install -o root -g root`: every file here has one owner."""
    found, rest = [], list(arguments)
    while rest:
        word = rest.pop(0)
        if word in {"-o", "-g"} and rest:
            rest.pop(0)
        elif not word.startswith(("--owner=", "--group=")):
            found.append(word)
    return found

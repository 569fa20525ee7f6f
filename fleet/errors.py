"""Every error that a user can meet, as one tree.

Takes what happened, to what, and the remedy; gives one line. Nothing here imports anything of ours.

    FleetError                     exit 1
    ├── UsageError                 exit 2   a flag or argument is wrong
    ├── SpecError                  exit 2   the spec has faults: all of them, each with its line
    ├── AwsError                            what AWS answered, translated once by code
    │   ├── CredentialsError                none, expired, or not accepted
    │   ├── EndpointError                   nobody answers at the endpoint
    │   ├── NotAuthorizedError              an IAM permission is missing
    │   ├── NotFoundError                   the thing is not there, or not visible yet
    │   ├── CapacityError                   EC2 has none of it at the moment
    │   ├── QuotaError                      the account may not have so many
    │   ├── NameTakenError                  something of that name is there already
    │   └── InUseError                      something else still holds on to it
    ├── HostError                           an instance, over SSH or HTTP
    │   ├── UnreachableError                no connection within the deadline
    │   ├── HostKeyError                    the host is not who it was
    │   ├── BootstrapError                  a step on the host failed
    │   ├── BakeError                       a step or a test of a recipe failed, or the image may not be made
    │   └── ProofError                      a service is up but does not do what it must
    ├── NothingFoundError                   no such fleet or member
    └── SandboxError                        the sandbox cannot start, stop or answer
"""

from __future__ import annotations

from dataclasses import dataclass

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_PARTLY = 3
EXIT_INTERRUPTED = 130


class FleetError(Exception):
    """What happened, to what, and the remedy, in one line.

    `message` says what happened and where; `remedy` says what to do about it.
    """

    exit_code = EXIT_FAILED

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}: {self.remedy}" if self.remedy else self.message


class UsageError(FleetError):
    """A flag or an argument is wrong."""

    exit_code = EXIT_USAGE


@dataclass(frozen=True, order=True)
class Fault:
    """One fault of a spec.

    `line` counts from 1 and is 0 where the fault has no line (a missing file, a command-line flag).
    """

    file: str
    line: int
    message: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.message}: {self.remedy}"


class SpecError(FleetError):
    """The spec has faults. `faults` holds all of them, in the order of their lines."""

    exit_code = EXIT_USAGE

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults), remedy="")


class AwsError(FleetError):
    """What AWS answered. `code` is EC2's own error code, `said` its own words; either may be empty."""

    def __init__(self, message: str, *, remedy: str, code: str = "", said: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.code = code
        self.said = said


class CredentialsError(AwsError):
    """No credentials, expired credentials, or credentials that AWS does not accept."""


class EndpointError(AwsError):
    """Nobody answers at the endpoint."""


class NotAuthorizedError(AwsError):
    """The identity lacks a permission."""


class NotFoundError(AwsError):
    """The resource is not there, or not visible yet."""


class CapacityError(AwsError):
    """EC2 has no capacity for what was asked, at the moment."""


class QuotaError(AwsError):
    """The account's quota does not allow it."""


class NameTakenError(AwsError):
    """Something of that name is there already."""


class InUseError(AwsError):
    """Something else still refers to the resource."""


class HostError(FleetError):
    """Something about one instance. `log` holds the last lines that its log has on the matter."""

    def __init__(self, message: str, *, remedy: str, log: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.log = log


class UnreachableError(HostError):
    """No connection within the deadline."""


class HostKeyError(HostError):
    """The host shows another key than the recorded one, or a first one that its console output does not vouch for."""


class BootstrapError(HostError):
    """A step of the bootstrap failed on the host."""


class BakeError(HostError):
    """A step or a test of a recipe failed on the host, or what is on it may not become an image."""


class ProofError(HostError):
    """A service answers, but not as it must."""


class NothingFoundError(FleetError):
    """There is no such fleet, or no such member in it."""


class SandboxError(FleetError):
    """The sandbox cannot start, stop or answer."""

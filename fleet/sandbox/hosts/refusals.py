"""What a host's sudo will not do."""


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """What sudo will not do, and why."""

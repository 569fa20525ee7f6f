"""What was shown of an environment before its URLs were handed out, as a value and as the text of a tag. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fleet.plan.tags import expiry_text, parse_expiry

_NO_CERTIFICATE = "none"


@dataclass(frozen=True)
class Proof:
    """What was shown from outside: HTTP statuses without and with the token, what a cell saw, the certificate's end.

    A status without the token is a refusal: 401, 403, or 302 to the login page. `certified_until` is None without TLS.
    """

    at: datetime
    jupyter_refused: int
    jupyter_accepted: int
    tensorboard_refused: int
    tensorboard_accepted: int
    gpus: int
    certified_until: datetime | None

    @property
    def jupyter(self) -> str:
        """Say what Jupyter answers without and with the token."""
        return f"{self.jupyter_refused}/{self.jupyter_accepted}"

    @property
    def tensorboard(self) -> str:
        """Say what TensorBoard answers without and with the token."""
        return f"{self.tensorboard_refused}/{self.tensorboard_accepted}"

    @property
    def words(self) -> str:
        """Say it to a person, in one line."""
        certificate = (
            f"certificate valid until {expiry_text(self.certified_until)}"
            if self.certified_until
            else "no TLS, inside SSH"
        )
        return (
            f"refused without token (8888: {self.jupyter_refused}, 6006: {self.tensorboard_refused}), "
            f"{certificate}, cell executed, {self.gpus} GPU{'' if self.gpus == 1 else 's'} seen"
        )

    def as_json(self) -> dict[str, object]:
        """Give the JSON shape of a receipt."""
        return {
            "proved_at": expiry_text(self.at),
            "jupyter": {"without_token": self.jupyter_refused, "with_token": self.jupyter_accepted},
            "tensorboard": {
                "without_token": self.tensorboard_refused,
                "with_token": self.tensorboard_accepted,
            },
            "certified_until": expiry_text(self.certified_until) if self.certified_until else None,
            "cell_executed": True,
            "gpus": self.gpus,
        }


def proof_text(proof: Proof) -> str:
    """Write a proof as it stands in a tag."""
    until = expiry_text(proof.certified_until) if proof.certified_until else _NO_CERTIFICATE
    return (
        f"{expiry_text(proof.at)} jupyter={proof.jupyter} tensorboard={proof.tensorboard} "
        f"gpus={proof.gpus} certificate={until}"
    )


def parse_proof(text: str | None) -> Proof | None:
    """Read a proof from a tag; None for no tag and for what is none."""
    at, *words = (text or "").split()[:5] or [""]
    fields = dict(word.split("=", 1) for word in words if "=" in word)
    proved_at = parse_expiry(at)
    try:
        jupyter_refused, jupyter_accepted = map(int, fields["jupyter"].split("/"))
        tensorboard_refused, tensorboard_accepted = map(int, fields["tensorboard"].split("/"))
        gpus, until = int(fields["gpus"]), fields["certificate"]
    except (KeyError, ValueError):
        return None
    certified_until = parse_expiry(until)
    if proved_at is None or (certified_until is None and until != _NO_CERTIFICATE):
        return None
    return Proof(
        proved_at,
        jupyter_refused,
        jupyter_accepted,
        tensorboard_refused,
        tensorboard_accepted,
        gpus,
        certified_until,
    )

"""Key pairs: deletion by id; the rest is moto's."""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.ec2.responses.key_pairs import KeyPairs

from fleet.sandbox.cloud.ec2.answers import Answers


class KeyAnswers(Answers, KeyPairs):
    """Actions on key pairs."""

    def delete_key_pair(self) -> ActionResult:
        """By name or by id; a pair that is not there is no error."""
        self.error_on_dryrun()
        name, key_pair_id = self.parameters.get("KeyName"), self.parameters.get("KeyPairId")
        for pair in list(self.region_backend.key_pairs.values()):
            if pair.key_name == name or pair.id == key_pair_id:
                self.region_backend.delete_key_pair(pair.key_name)
                return ActionResult({"Return": True, "KeyPairId": pair.id})
        return ActionResult({"Return": True, "KeyPairId": None})

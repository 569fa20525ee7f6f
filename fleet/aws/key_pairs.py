"""The fleet's key pair: the public half of a key made locally."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.aws.requests import of_fleet, tag_specification
from fleet.plan.facts.launch import KeyPairFact


@effect("ec2:DescribeKeyPairs")
def describe_key_pairs(aws: Aws, *, fleet: str) -> tuple[KeyPairFact, ...]:
    """Describe the fleet's key pairs with their public keys."""
    answer = aws.ec2.describe_key_pairs(Filters=of_fleet(fleet), IncludePublicKey=True)
    return tuple(
        KeyPairFact(
            key_pair_id=pair["KeyPairId"],
            name=pair["KeyName"],
            public_key=bare_public_key(pair.get("PublicKey", "")),
        )
        for pair in answer["KeyPairs"]
    )


@effect("ec2:ImportKeyPair", "ec2:CreateTags")
def import_key_pair(
    aws: Aws, *, name: str, public_key: str, tags: Mapping[str, str]
) -> KeyPairFact:
    """Import a public key (one OpenSSH line) under a name."""
    answer = aws.ec2.import_key_pair(
        KeyName=name,
        PublicKeyMaterial=public_key.encode(),
        TagSpecifications=[tag_specification("key-pair", tags)],
    )
    return KeyPairFact(answer["KeyPairId"], answer["KeyName"], bare_public_key(public_key))


@effect("ec2:DeleteKeyPair")
def delete_key_pair(aws: Aws, *, key_pair_id: str) -> None:
    """Delete a key pair; EC2 does not mind one that is gone."""
    aws.ec2.delete_key_pair(KeyPairId=key_pair_id)


def bare_public_key(line: str) -> str:
    """Give `type base64` of an OpenSSH public key line, without its comment."""
    return " ".join(line.split()[:2])

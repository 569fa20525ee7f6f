"""Which image drives which instance type."""

from __future__ import annotations

import pytest

from fleet.plan.facts.hardware import InstanceTypeFact
from fleet.plan.facts.images import ImageFact
from fleet.plan.images.fit import refuse_type, supported_families
from tests.plan.images.test_choice import image, pytorch
from tests.plan.worlds import gpu_type

OSS = pytorch("2.13")
ARM = image(
    "Deep Learning ARM64 AMI OSS Nvidia Driver GPU PyTorch 2.12 (Ubuntu 24.04) 20260724",
    architecture="arm64",
    description="Supported EC2 instances: G5g, P6e-GB200. Release notes: https://…",
)
PROPRIETARY = image(
    "Deep Learning Proprietary Nvidia Driver AMI GPU PyTorch 2.1.0 (Ubuntu 20.04) 20231226"
)
NEURON = image("Deep Learning AMI Neuron (Ubuntu 24.04) 20260708")
STATED = image(
    OSS.name, description="Supported EC2 instances: G4dn, G5, P4d and P5. Release notes: …"
)
OWN = image("our-own")

FITS = [
    (OSS, gpu_type("g5.xlarge", manufacturer="NVIDIA")),
    (OSS, gpu_type("m6i.large", gpus=0)),
    (STATED, gpu_type("m6i.large", gpus=0)),
    (STATED, gpu_type("p4d.24xlarge")),
    (ARM, gpu_type("g5g.xlarge", architectures=("arm64",))),
    (PROPRIETARY, gpu_type("p3.2xlarge")),
    (NEURON, gpu_type("trn1.2xlarge", gpus=0)),
    (OWN, gpu_type("p3.2xlarge")),
    (OWN, gpu_type("g4ad.xlarge", manufacturer="AMD")),
]
REFUSED = [
    (OSS, gpu_type("g5g.xlarge", architectures=("arm64",)), "g5g.xlarge is arm64"),
    (OSS, gpu_type("p3.2xlarge"), "open driver, which the image has, does not drive the p3 family"),
    (OSS, gpu_type("p3dn.24xlarge"), "does not drive the p3dn family"),
    (OSS, gpu_type("g3s.xlarge"), "does not drive the g3s family"),
    (OSS, gpu_type("p2.xlarge"), "Kepler"),
    (PROPRIETARY, gpu_type("p4d.24xlarge"), "proprietary driver.* does not drive the p4d family"),
    (PROPRIETARY, gpu_type("p5.48xlarge"), "does not drive the p5 family"),
    (OSS, gpu_type("g4ad.xlarge", manufacturer="AMD"), "accelerators are AMD's"),
    (OSS, gpu_type("dl1.24xlarge", manufacturer="Habana"), "accelerators are Habana's"),
    (OSS, gpu_type("dl2q.24xlarge", gpus=0), "accelerators are Qualcomm's"),
    (OSS, gpu_type("inf2.xlarge", gpus=0), "accelerators are AWS's"),
    (OSS, gpu_type("trn1.2xlarge", gpus=0), "accelerators are AWS's"),
    (OSS, gpu_type("zz9.large", manufacturer="Other"), "accelerators are Other's"),
    (NEURON, gpu_type("g5.xlarge"), "Inferentia and Trainium"),
    (OSS, gpu_type("g6f.large"), "fraction of a GPU.*GRID"),
    (OSS, gpu_type("gr6f.4xlarge"), "fraction of a GPU.*GRID"),
    (STATED, gpu_type("g6e.xlarge"), "supports g4dn, g5, p4d, p5 only"),
]


@pytest.mark.parametrize(("ami", "fact"), FITS, ids=lambda value: value.name[:60])
def test_what_fits(ami: ImageFact, fact: InstanceTypeFact) -> None:
    assert refuse_type(ami, fact) is None


@pytest.mark.parametrize(
    ("ami", "fact", "reason"), REFUSED, ids=lambda v: getattr(v, "name", "")[:60]
)
def test_what_does_not_is_refused_with_its_reason(
    ami: ImageFact, fact: InstanceTypeFact, reason: str
) -> None:
    refusal = refuse_type(ami, fact)
    assert refusal is not None
    assert refusal.remedy
    with pytest.raises(type(refusal), match=reason):
        raise refusal
    assert "\n" not in str(refusal)


def test_a_fraction_of_a_gpu_is_possible_with_an_image_by_id() -> None:
    assert refuse_type(OSS, gpu_type("g6f.large"), chosen_by_id=True) is None


@pytest.mark.parametrize(
    ("description", "families"),
    [
        ("Supported EC2 instances: G4dn, P4, P5. Release", {"g4dn", "p4d", "p4de", "p5"}),
        ("Supported EC2 instances: P4d, P6-B200. Notes", {"p4d", "p6-b200"}),
        ("Supported EC2 instances: G3, P3, P3dn", {"g3", "g3s", "p3", "p3dn"}),
        ("Deep Learning AMI of 2022", set()),
    ],
)
def test_descriptions_are_read(description: str, families: set[str]) -> None:
    assert supported_families(description) == families

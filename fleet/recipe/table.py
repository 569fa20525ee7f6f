"""What a recipe's file looks like: the keys as the models say them, and the words around them."""

from __future__ import annotations

from fleet.recipe.model import Recipe
from fleet.spec.forms import Table
from fleet.spec.keys import keys_of
from fleet.spec.table import SPEC_FILE

RECIPE_FILE = Table(
    root=keys_of(Recipe),
    title="fleet recipe",
    about="An AMI to be made, tested and kept up to date by `fleet bake`.",
    urn="urn:fleet:recipe",
    newcomer="begin with a copy of amis/pytorch-team.yaml",
    # What people write who come from Packer, Ansible and Dockerfiles.
    synonyms={
        **SPEC_FILE.synonyms,
        "accounts": "share_with",
        "ami_name": "name",
        "ami_regions": "copy_to",
        "ami_users": "share_with",
        "apt-get": "apt",
        "base": "image",
        "base_image": "image",
        "branch": "ref",
        "cmd": "run",
        "command": "run",
        "copy": "files",
        "curl": "download",
        "environment": "env",
        "file": "files",
        "imports": "import",
        "inline": "run",
        "modules": "import",
        "nvidia-smi": "gpu",
        "output": "ami",
        "provisioners": "steps",
        "python": "import",
        "regions": "copy_to",
        "shell": "run",
        "source_ami": "image",
        "uv": "pip",
        "wget": "download",
        "yum": "dnf",
    },
)

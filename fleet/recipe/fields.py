"""The recipe as a person writes it: every key, its form, what it means, and an example.

A key's `field` names the models' attribute where the two differ. The first key of a step or a test says of which kind
it is.
"""

from __future__ import annotations

from fleet.recipe import rules as of
from fleet.recipe.model import DEFAULT_NAME, MOST_KEPT
from fleet.spec import rules, values
from fleet.spec.fields import ACCESS, IMAGE, INSTANCES, SPEC_FILE, VOLUME
from fleet.spec.forms import Items, Key, Keys, Measure, Pairs, Switch, Table, Text, Texts, Whole

APT = Keys(
    keys=(
        Key(
            "apt",
            Texts(pattern=of.APT_PATTERN, least=1),
            "Packages of Ubuntu, with or without a version.",
            "[git-lfs, htop]",
            field="packages",
            required=True,
        ),
    )
)

DNF = Keys(
    keys=(
        Key(
            "dnf",
            Texts(pattern=of.DNF_PATTERN, least=1),
            "Packages of Amazon Linux, with or without a version.",
            "[git-lfs, htop]",
            field="packages",
            required=True,
        ),
    )
)

PIP = Keys(
    keys=(
        Key(
            "pip",
            Texts(pattern=rules.PACKAGE_PATTERN, least=1),
            "Python packages, with or without a version.",
            "[einops, lightning==2.5.0]",
            field="packages",
            required=True,
        ),
        Key(
            "venv",
            Text(pattern=of.ENVIRONMENT_PATTERN),
            "The venv to install into, `~/venvs/NAME`: made where it is not there, over the framework's "
            "environment, whose packages it sees; a Jupyter kernel of this name.",
            "team",
            default="the image's own framework environment",
            nullable=True,
        ),
        Key(
            "index_url",
            Text(pattern=of.URL_PATTERN),
            "The package index, if not pip's own.",
            "https://download.pytorch.org/whl/cu128",
            default="pip's own",
            nullable=True,
        ),
    )
)

CONDA = Keys(
    keys=(
        Key(
            "conda",
            Texts(pattern=of.CONDA_PATTERN, least=1),
            "conda packages, with or without channel and version.",
            '["numpy=2.2", ffmpeg]',
            field="packages",
            required=True,
        ),
        Key(
            "env",
            Text(pattern=of.ENVIRONMENT_PATTERN),
            "The environment to install into, made where it is not there.",
            "media",
            default="conda's base",
            nullable=True,
        ),
        Key(
            "channels",
            Texts(pattern=of.CHANNEL_PATTERN),
            "Channels to look in, in this order.",
            "[conda-forge]",
            default="conda's own",
        ),
    )
)

GIT = Keys(
    keys=(
        Key(
            "git",
            Text(pattern=rules.GIT_PATTERN),
            "A repository to clone.",
            "https://github.com/karpathy/nanoGPT",
            field="url",
            required=True,
        ),
        Key(
            "to",
            Text(pattern=of.TARGET_PATTERN),
            "Where to clone it: a path under the home, or an absolute one.",
            "~/nanoGPT",
            default="under the home, by the repository's name",
            nullable=True,
        ),
        Key(
            "ref",
            Text(pattern=of.REF_PATTERN),
            "A branch, tag or commit.",
            "main",
            default="the repository's default branch",
            nullable=True,
        ),
    )
)

FILES = Keys(
    keys=(
        Key(
            "files",
            Pairs(pattern=of.TARGET_PATTERN),
            "Files and folders to copy: a path from the recipe's folder, and a path under the home or an absolute "
            "one, which belongs to root.",
            "{./data: ~/data, ./motd: /etc/motd}",
            required=True,
        ),
    )
)

SCRIPT = Keys(
    keys=(
        Key(
            "script",
            Text(),
            "A script to run with bash, as a path from the recipe's folder.",
            "./setup.sh",
            required=True,
        ),
    )
)

RUN = Keys(
    keys=(
        Key(
            "run",
            Text(),
            "Shell text to run with bash; `sudo` needs no password.",
            "git lfs install",
            required=True,
        ),
    )
)

DOWNLOAD = Keys(
    keys=(
        Key(
            "download",
            Text(pattern=of.URL_PATTERN),
            "A file to download, over https.",
            "https://example.org/weights.bin",
            field="url",
            required=True,
        ),
        Key(
            "sha256",
            Text(pattern=of.SHA256_PATTERN),
            "The SHA-256 that the file must have.",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            required=True,
        ),
        Key(
            "to",
            Text(pattern=of.TARGET_PATTERN),
            "Where to put it: a path with the file's name, under the home or absolute.",
            "~/weights.bin",
            required=True,
        ),
    )
)

STEPS = Items((APT, DNF, PIP, CONDA, GIT, FILES, SCRIPT, RUN, DOWNLOAD), item="step")

RUN_TEST = Keys(
    keys=(
        Key("run", Text(), "Shell text that must succeed.", "git lfs version", required=True),
        Key(
            "expect",
            Text(),
            "A text that its output must have in it.",
            "git-lfs/3",
            default="any output",
            nullable=True,
        ),
        Key(
            "venv",
            Text(pattern=of.ENVIRONMENT_PATTERN),
            "The venv to run it in.",
            "team",
            default="none",
            nullable=True,
        ),
    )
)

IMPORT_TEST = Keys(
    keys=(
        Key(
            "import",
            Texts(pattern=of.MODULE_PATTERN, least=1),
            "Python modules that must be importable.",
            "[torch, einops]",
            field="modules",
            required=True,
        ),
        Key(
            "venv",
            Text(pattern=of.ENVIRONMENT_PATTERN),
            "The venv to import them in.",
            "team",
            default="the image's own framework environment",
            nullable=True,
        ),
    )
)

GPU_TEST = Keys(
    keys=(
        Key(
            "gpu",
            Switch(),
            "The driver must list as many GPUs as the instance type has.",
            "true",
            required=True,
        ),
    )
)

NOTEBOOK_TEST = Keys(
    keys=(
        Key(
            "notebook",
            Text(pattern=of.NOTEBOOK_PATTERN),
            "A notebook every cell of which must run, as a path from the recipe's folder.",
            "./first-steps.ipynb",
            required=True,
        ),
    )
)

TESTS = Items((RUN_TEST, IMPORT_TEST, GPU_TEST, NOTEBOOK_TEST), item="test")

BUILDER = Keys(
    keys=(
        Key("instances", INSTANCES, "What to launch.", "{types: [g5.xlarge]}", required=True),
        Key(
            "volume",
            VOLUME,
            "The builder's root volume, which is as large as the image's; always encrypted.",
            "100GiB",
            default="100GiB of gp3",
        ),
        Key("access", ACCESS, "Who may come in.", "{from: [me]}", default="{from: [me]}"),
        Key(
            "expires",
            Measure(values.DURATION_PATTERN),
            "How long after its launch an abandoned builder terminates by itself, 30m to 30d.",
            "6h",
            default="4h",
        ),
    )
)

SCAN = Keys(
    keys=(
        Key(
            "allow",
            Texts(pattern=of.SEARCHED_PATTERN),
            "Files, or patterns with * and ?, whose findings are no secrets: what is allowed is told at each bake.",
            "[/opt/vendor/test-key.pem]",
            default="none",
        ),
    )
)

AMI = Keys(
    keys=(
        Key(
            "name",
            Text(pattern=of.OUTPUT_PATTERN),
            "The images' names, with the fields recipe, date, time (of the bake, UTC) and digest (of the content); "
            "begins with `{recipe}-`.",
            '"{recipe}-{date}-{time}-{digest}"',
            default=DEFAULT_NAME,
        ),
        Key(
            "copy_to",
            Texts(pattern=rules.REGION_PATTERN),
            "Regions to copy the image to.",
            "[eu-west-1, us-west-2]",
            default="none",
        ),
        Key(
            "share_with",
            Texts(pattern=of.ACCOUNT_PATTERN),
            "AWS accounts that may launch it. Quoted: YAML reads digits as a number.",
            '["123456789012"]',
            default="none",
        ),
        Key(
            "kms_key",
            Text(pattern=rules.KMS_KEY_PATTERN),
            "The KMS key to encrypt the image with: id, ARN or alias.",
            "alias/team",
            default="that of the builder's volume",
            nullable=True,
        ),
        Key(
            "deprecate_after",
            Measure(values.DURATION_PATTERN),
            "How long after the bake EC2 calls the image deprecated, 1d to 3650d.",
            "90d",
            nullable=True,
            default="not at all",
        ),
        Key(
            "keep",
            Whole(1, MOST_KEPT),
            "How many images of this recipe to keep, the new one included; older ones that nobody uses are "
            "deregistered, and their snapshots deleted.",
            "3",
            default="all",
            nullable=True,
        ),
    )
)

RECIPE = Keys(
    keys=(
        Key(
            "name",
            Text(pattern=of.NAME_PATTERN),
            "The recipe's name: 1 to 26 letters a-z, digits and '-', a letter first. `image: {name: NAME}` in a spec "
            "means its stable image.",
            "pytorch-team",
            required=True,
        ),
        Key(
            "description",
            Text(),
            "The images' description, up to 255 characters of ASCII.",
            "PyTorch with our packages",
            default="none",
        ),
        Key(
            "region",
            Text(pattern=rules.REGION_PATTERN),
            "The AWS Region to make the image in.",
            "us-east-1",
            default="the profile's",
            nullable=True,
        ),
        Key(
            "image",
            IMAGE,
            "The AMI to start from: framework (with version and os), id, or name.",
            "{framework: pytorch}",
            required=True,
        ),
        Key(
            "builder",
            BUILDER,
            "The instance that the image is made on, and the one it is tried on.",
            "{instances: {types: [g5.xlarge]}}",
            required=True,
        ),
        Key(
            "steps",
            STEPS,
            "What to do on the builder, in this order. Jupyter, TensorBoard and the kernels are there already.",
            "[{pip: [einops]}]",
            default="none",
        ),
        Key(
            "tests",
            TESTS,
            "What must hold on the builder, and again on an instance launched from the image.",
            "[{import: [torch, einops]}]",
            default="none",
        ),
        Key(
            "scan",
            SCAN,
            "The search for secrets, before and after sanitising; a finding ends the bake.",
            "{allow: [/opt/vendor/test-key.pem]}",
            default="everything is looked at",
        ),
        Key(
            "ami",
            AMI,
            "The image that comes out, and what becomes of it.",
            "{keep: 3}",
            default="{name: '{recipe}-{date}-{time}-{digest}'}",
            field="output",
        ),
    )
)

RECIPE_FILE = Table(
    root=RECIPE,
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

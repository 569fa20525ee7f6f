"""The spec as a person writes it: every key, its form, what it means, and an example.

A key's `field` names the models' attribute where the two differ.
"""

from __future__ import annotations

from fleet.spec import interruption, people, rules, storage, values
from fleet.spec.forms import Key, Keys, Measure, Pairs, Switch, Table, Text, Texts, Whole

IMAGE = Keys(
    one_of=(("framework",), ("id",), ("name",)),
    keys=(
        Key(
            "framework",
            Text(("pytorch", "tensorflow", "mxnet", "base")),
            "The newest Deep Learning AMI with this framework; `base` has drivers and CUDA only.",
            "pytorch",
        ),
        Key(
            "version",
            Text(pattern=rules.VERSION_PATTERN),
            "The framework's version, whole or its first parts. Quoted: YAML reads 2.10 as 2.1.",
            '"2.9"',
            default="the newest",
            needs="framework",
            nullable=True,
        ),
        Key(
            "os",
            Text(
                (
                    "ubuntu-26.04",
                    "ubuntu-24.04",
                    "ubuntu-22.04",
                    "ubuntu-20.04",
                    "amazon-linux-2023",
                    "amazon-linux-2",
                )
            ),
            "The operating system of the AMI.",
            "ubuntu-24.04",
            default="whichever has the newest image",
            needs="framework",
            nullable=True,
        ),
        Key(
            "id", Text(pattern=rules.IMAGE_ID_PATTERN), "An AMI by its id.", "ami-0123456789abcdef0"
        ),
        Key(
            "name",
            Text(),
            "An AMI by its full name, or by its recipe's name: the stable image that `fleet bake` made by it.",
            "pytorch-team",
        ),
    ),
)

NEED_KEYS = ("gpus", "gpu_memory", "vcpus", "memory")

INSTANCES = Keys(
    one_of=(("types",), NEED_KEYS),
    keys=(
        Key(
            "types",
            Texts(pattern=rules.INSTANCE_TYPE_PATTERN, least=1),
            "EC2 instance types in order of preference: the next is tried where EC2 has none left.",
            "[g5.xlarge, g4dn.xlarge]",
        ),
        Key(
            "gpus",
            Whole(1, rules.MOST_GPUS),
            "Instead of types: at least so many GPUs. The cheapest types that fit are taken.",
            "1",
            default="1 where another need is written",
        ),
        Key(
            "gpu_memory",
            Measure(values.SIZE_PATTERN),
            "At least so much memory in each GPU, as EC2 counts it: an A10G or L4 has 22.4 GiB.",
            "16GiB",
            default="any",
            field="gpu_memory_gib",
        ),
        Key("vcpus", Whole(1, rules.MOST_VCPUS), "At least so many vCPUs.", "8", default="any"),
        Key(
            "memory",
            Measure(values.SIZE_PATTERN),
            "At least so much memory.",
            "32GiB",
            default="any",
            field="memory_gib",
        ),
        Key(
            "market",
            Text(("on-demand", "spot", "spot-first")),
            "What to buy; `spot-first` falls back to On-Demand.",
            "spot-first",
            default="on-demand",
        ),
        Key(
            "max_price",
            Measure(numeric=True),
            "The most that one instance may cost, in USD per hour, in either market.",
            "0.60",
            default="no limit of its own",
            nullable=True,
        ),
        Key(
            "profile",
            Text(pattern=rules.PROFILE_PATTERN),
            "The IAM instance profile that instances get: its name or ARN.",
            "team-workshop",
            default="none",
            nullable=True,
        ),
    ),
)

VOLUME = Keys(
    short="size",
    keys=(
        Key(
            "size",
            Measure(values.SIZE_PATTERN),
            "The root volume's size.",
            "100GiB",
            default="100GiB",
            field="size_gib",
        ),
        Key(
            "type", Text(("gp3", "gp2", "io1", "io2")), "The EBS volume type.", "gp3", default="gp3"
        ),
        Key(
            "iops",
            Whole(100, 256000),
            f"Provisioned I/O per second; gp3 takes {storage.GP3_BASE_IOPS} to 80000.",
            "3000",
            default="3000 for gp3",
            nullable=True,
        ),
        Key(
            "throughput",
            Whole(storage.GP3_BASE_THROUGHPUT, storage.GP3_LARGEST_THROUGHPUT),
            "MiB/s of a gp3 volume, a quarter of its IOPS at most.",
            "125",
            default="125 for gp3",
            nullable=True,
        ),
        Key(
            "kms_key",
            Text(pattern=rules.KMS_KEY_PATTERN),
            "The KMS key to encrypt with: id, ARN or alias.",
            "alias/team",
            default="the account's key for EBS",
            nullable=True,
        ),
    ),
)

VIA = Keys(
    short="through",
    one_of=(("through",), ("bastion",)),
    keys=(
        Key(
            "through",
            Text(("ssm", "direct", "tunnel")),
            "`ssm`: SSH over a session of Systems Manager, which needs its plugin here and an "
            "instance profile there; `direct`: a VPN or peering reaches private addresses; `tunnel`: "
            "public addresses with no port open but SSH's, through which `fleet open` and `fleet tunnel` go.",
            "ssm",
        ),
        Key(
            "bastion",
            Text(pattern=rules.BASTION_PATTERN),
            "SSH through this host, whose host key stands in your known_hosts.",
            "ec2-user@bastion.example.org",
        ),
    ),
)

ACCESS = Keys(
    keys=(
        Key(
            "from",
            Texts(least=1),
            "Who may reach SSH, Jupyter and TensorBoard: CIDRs; `me` is your own public address.",
            "[me, 203.0.113.0/24]",
            default="[me]",
            field="sources",
        ),
        Key(
            "vpc",
            Text(pattern=rules.VPC_PATTERN),
            "The VPC to launch in.",
            "vpc-0123456789abcdef0",
            default="the default VPC, or that of subnets",
            nullable=True,
        ),
        Key(
            "subnets",
            Texts(pattern=rules.SUBNET_PATTERN, least=1),
            "The subnets to launch in. One in each Availability Zone is used, the one with most free "
            "addresses; the others of a zone stand in when it is full.",
            "[subnet-0123456789abcdef0]",
            default="those of the VPC that can be reached",
            nullable=True,
        ),
        Key(
            "public_ip",
            Switch(),
            "Whether instances get public addresses; without, via has to say how they are reached.",
            "false",
            default="true, or false where via is written",
            nullable=True,
        ),
        Key(
            "via",
            VIA,
            "How instances are reached: inside SSH to public addresses (tunnel); or, without public addresses, "
            "by ssm, direct, or a bastion host.",
            "{bastion: ec2-user@bastion.example.org}",
            default="public addresses, all ports open to `from`",
            nullable=True,
        ),
    )
)

BOOTSTRAP = Keys(
    keys=(
        Key(
            "packages",
            Texts(pattern=rules.PACKAGE_PATTERN),
            "Python packages to install, with or without a version.",
            "[einops, lightning==2.5.0]",
            default="none",
        ),
        Key(
            "git",
            Texts(pattern=rules.GIT_PATTERN),
            "Repositories to clone into the home.",
            "[https://github.com/karpathy/nanoGPT]",
            default="none",
        ),
        Key(
            "files",
            Pairs(pattern=rules.REMOTE_PATTERN),
            "Files and folders to copy: a path from the spec's folder, and a path under the home.",
            "{./data: ~/data}",
            default="none",
        ),
        Key(
            "script",
            Text(),
            "A script to run at the end, as a path from the spec's folder.",
            "./setup.sh",
            default="none",
            nullable=True,
        ),
        Key(
            "sudo",
            Switch(),
            "Whether the person may become root; if not, Jupyter and the script run as the account `member`.",
            "false",
            default="true",
        ),
    )
)

INTERRUPTION = Keys(
    keys=(
        Key(
            "sync",
            Pairs(pattern=interruption.S3_PATTERN),
            "Folders under the home, and where `aws s3 sync` brings each, below a folder of the member's name; "
            "with the rights of `instances.profile`.",
            "{~/work: s3://team-bucket/workshop}",
            default="nothing",
        ),
    )
)

MEMBER_KEYS = ("members", "count", "roster")

SPEC = Keys(
    one_of=tuple((key,) for key in MEMBER_KEYS),
    keys=(
        Key(
            "name",
            Text(pattern=rules.NAME_PATTERN),
            "The fleet's name: 1 to 31 letters a-z, digits and '-', a letter first.",
            "workshop",
            required=True,
        ),
        Key(
            "region",
            Text(pattern=rules.REGION_PATTERN),
            "The AWS Region that the whole fleet lives in.",
            "us-east-1",
            default="the profile's",
            nullable=True,
        ),
        Key(
            "members",
            Texts(least=1, most=people.MOST_MEMBERS, item="member"),
            "The people, one environment each.",
            "[ana, ben, chloe]",
        ),
        Key(
            "count",
            Whole(1, people.MOST_MEMBERS),
            "That many members, named env-01, env-02, ...",
            "20",
        ),
        Key(
            "roster",
            Text(),
            "A CSV file with the columns member, ssh_key and email (the last two optional), "
            "as a path from the spec's folder.",
            "people.csv",
        ),
        Key(
            "image",
            IMAGE,
            "The AMI: framework (with version and os), id, or name.",
            "{framework: pytorch}",
            required=True,
        ),
        Key("instances", INSTANCES, "What to launch.", "{types: [g5.xlarge]}", required=True),
        Key(
            "volume",
            VOLUME,
            "The root volume; always encrypted.",
            "100GiB",
            default="100GiB of gp3",
        ),
        Key("access", ACCESS, "Who may come in.", "{from: [me]}", default="{from: [me]}"),
        Key(
            "tls",
            Text(("ca", "none")),
            "`ca`: Jupyter and TensorBoard over TLS, with certificates of the fleet's own authority (`fleet ca`); "
            "`none`: without, which only `access: {via: tunnel}` allows.",
            "none",
            default="ca",
        ),
        Key(
            "expires",
            Measure(values.DURATION_PATTERN),
            "How long after its launch an environment terminates by itself, 1m to 30d, or `never`.",
            "8h",
            also="never",
            required=True,
        ),
        Key(
            "idle",
            Measure(values.DURATION_PATTERN),
            "After how long without activity an environment terminates (docs/bootstrap.md says what that is); "
            "shorter than expires.",
            "60m",
            default="never",
            nullable=True,
        ),
        Key(
            "interruption",
            INTERRUPTION,
            "What is saved in the two minutes before EC2 takes a Spot Instance back.",
            "{sync: {~/work: s3://team-bucket/workshop}}",
            default="what `~/on-interruption` does",
        ),
        Key(
            "bootstrap",
            BOOTSTRAP,
            "What each environment gets besides Jupyter and TensorBoard.",
            "{packages: [einops]}",
            default="nothing",
        ),
        Key(
            "min",
            Whole(1, people.MOST_MEMBERS),
            "How many environments must be ready for `fleet up` to succeed.",
            "18",
            default="all",
            field="min_ready",
            nullable=True,
        ),
    ),
)

SPEC_FILE = Table(
    root=SPEC,
    title="fleet spec",
    about="A team's deep-learning environments on EC2, one for each member.",
    urn="urn:fleet:spec",
    newcomer="begin with a copy of examples/workshop.yaml",
    # What people write who come from other tools.
    synonyms={
        "ami": "image",
        "cidrs": "from",
        "bastion": "via",
        "disk": "volume",
        "duration": "expires",
        "iam_instance_profile": "profile",
        "instance_profile": "profile",
        "instance_type": "instances",
        "instance_types": "types",
        "lifetime": "expires",
        "min_ready": "min",
        "pip": "packages",
        "size_gib": "size",
        "subnet": "subnets",
        "sources": "from",
        "students": "members",
        "ttl": "expires",
        "users": "members",
        "vpc_id": "vpc",
    },
)

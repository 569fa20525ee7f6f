"""What the scan takes for a secret, and what not."""

from __future__ import annotations

import ast
import io
import sys
import tarfile

import pytest

import leaks
from fleet.assets.shipped import load_bake_texts

REGISTRY = "a login of a container registry"
NAMED = "a value that is called a secret"
PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAA\n"
HOME = "/home/ubuntu"


def kinds(
    path: str, text: str, *, known: tuple[str, ...] = (), sanitised: bool = False
) -> set[str]:
    return {
        what
        for _, what in leaks.findings(path, text.encode(), leaks.pieces(known), sanitised=sanitised)
    }


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("key AKIAQYLPMN5HHHFPZAM2 here", "an AWS access key id"),
        ("ASIAQYLPMN5HHHFPZAM2", "an AWS access key id"),
        (
            '"SecretAccessKey": "kWcrlUX5JEDGMSUx0abcdRfiCYzzzz1234567890"',
            "an AWS secret access key",
        ),
        (
            "aws_secret_access_key = kWcrlUX5JEDGMSUx0abcdRfiCYzzzz1234567890",
            "an AWS secret access key",
        ),
        (PEM, "a private key"),
        (PEM.replace("\n", "\\n"), "a private key"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\n" + "a" * 40, "a private key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519", "a private key of PuTTY"),
        ("ghp_aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789", "a GitHub token"),
        ("github_pat_" + "a1" * 41, "a GitHub token"),
        ("glpat-aBcDeFgHiJkLmNoPqRsT", "a GitLab token"),
        ("hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZabcdefgh", "a Hugging Face token"),
        ("xoxb-1234567890-abcdefghijkl", "a Slack token"),
        ("https://hooks.slack.com/services/T01AB/B02CD/abcdefghij0123456789", "a Slack webhook"),
        ("sk-proj-" + "aB3" * 10 + "T3BlbkFJ" + "cD4" * 10, "an OpenAI key"),
        ("sk-ant-api03-" + "aB3_" * 10, "an Anthropic key"),
        ("AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q", "a Google API key"),
        ("pypi-AgEIcHlwaS5vcmc" + "aB3" * 20, "a PyPI token"),
        ("npm_" + "aB3" * 12, "an npm token"),
        ("dckr_pat_" + "aB3" * 9, "a Docker Hub token"),
        ("sk_live_" + "aB3" * 8, "a Stripe key"),
        ("git clone https://bob:s3cr3t@git.example.org/x", "a password in a URL"),
        ("postgres://app:s3cr3t@db:5432/x", "a password in a URL"),
        ("redis://:s3cr3t@cache/0", "a password in a URL"),
    ],
)
def test_a_published_form_is_found_in_any_file(text: str, what: str) -> None:
    assert kinds(f"{HOME}/notes.txt", f"first\n{text}\n") == {what}
    assert kinds("/var/log/x.log", f"\0\1binary {text} more") == {what}


@pytest.mark.parametrize(
    ("path", "text", "what"),
    [
        ("/etc/environment", "A=1\nDB_PASSWORD=hunter22\n", NAMED),
        (f"{HOME}/.bashrc", 'export HF_TOKEN="abcd1234efgh"', NAMED),
        (f"{HOME}/.bash_history", "curl -H 'Authorization: Bearer abc123def456' x", NAMED),
        (f"{HOME}/.bash_history", "mysql --password=hunter22 db", NAMED),
        (f"{HOME}/.zsh_history", ": 1700000000:0;export WANDB_API_KEY=0123456789abcdef", NAMED),
        (f"{HOME}/.python_history", "os.environ['HF_TOKEN'] = 'abcd1234efgh'", NAMED),
        (f"{HOME}/work/.env", "API_KEY=0123456789abcdef", NAMED),
        ("/etc/systemd/system/x.service", "Environment=APP_SECRET=0123456789abcdef", NAMED),
        (f"{HOME}/.netrc", "machine a\nlogin b\npassword c3d4\n", "a password"),
        (f"{HOME}/.git-credentials", "https://0123abcd@github.com\n", "a password"),
        (f"{HOME}/.docker/config.json", '{"auths": {"x": {"auth": "Ym9iOmh1bnRlcjI="}}}', REGISTRY),
        (f"{HOME}/.kaggle/kaggle.json", '{"username":"a","key":"0123456789abcdef"}', "a Kaggle key"),
        (f"{HOME}/.cache/huggingface/token", "abcdefghijklm", "a Hugging Face token"),
        (f"{HOME}/.config/gh/hosts.yml", "github.com:\n  oauth_token: abc\n", "a GitHub login"),
        (f"{HOME}/.npmrc", "//registry/:_authToken=0123-4567", "an npm token"),
        ("/etc/shadow", "root:*:1::\nbob:$y$j9T$abc:1::\n", "a password's hash"),
    ],
)  # fmt: skip
def test_where_it_stands_tells_what_it_is(path: str, text: str, what: str) -> None:
    assert kinds(path, text) == {what}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (f"{HOME}/docs.md", "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        (f"{HOME}/aws.cfg", "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("/etc/ssl/cert.pem", "-----BEGIN CERTIFICATE-----\n" + "MIIB" * 20),
        (f"{HOME}/.ssh/id_ed25519.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA bob"),
        (f"{HOME}/read.py", 'if "-----BEGIN PRIVATE KEY-----" in text:'),
        (
            f"{HOME}/notes.txt",
            "https://user:password@example.org https://u:$PASS@x https://a:<pw>@x",
        ),
        (f"{HOME}/notes.txt", "http://[::1]:8888/x@y http://host:8080/a@b ssh://git@host:22/x"),
        (f"{HOME}/notes.txt", "DB_PASSWORD=hunter22 is only looked for where variables are set"),
        (f"{HOME}/.bashrc", "export TOKENIZERS_PARALLELISM=false\nexport HF_TOKEN=$(cat x)\n"),
        (f"{HOME}/.bashrc", 'export HF_TOKEN="$TOKEN" GIT_CREDENTIALS_FILE=/x/y API_KEY=your-key'),
        (f"{HOME}/.bash_history", "fleet up; git config credential.helper store; passwd bob"),
        ("/etc/default/x", "# PASSWORD=\nTOKEN=none\n"),
        ("/etc/shadow", "root:*:1::\nubuntu:!:1::\nsshd:!*:1::\n"),
        (f"{HOME}/weights.bin", "\0" + "AKIA" * 30 + "hf_"),
        ("/etc/ssl/private/ssl-cert-snakeoil.key", PEM),
        ("/var/lib/dkms/mok.key", PEM),
        ("/var/lib/fwupd/pki/secret.key", PEM),
        (f"{HOME}/price_history", "TOKEN=0123456789abcdef"),
        (f"{HOME}/.docker/config.json", '{"auths": {}, "credsStore": "ecr-login"}'),
    ],
)
def test_what_only_looks_like_one_is_none(path: str, text: str) -> None:
    assert kinds(path, text) == set()


def test_what_we_know_is_found_wherever_it_is() -> None:
    assert kinds("/opt/x", "a tok-0123456789 b", known=("tok-0123456789",)) == {
        "a secret of this environment"
    }
    pem = "-----BEGIN X-----\nAAAA0000\nBBBB1111\nCCCC2222\n-----END X-----\n"
    assert leaks.pieces((pem, "", "ab")) == [b"BBBB1111"]


def test_what_the_host_needs_itself_is_left_out_until_it_is_sanitised() -> None:
    for path in (
        f"{HOME}/.fleet/token",
        f"{HOME}/.fleet/server.pem",
        f"{HOME}/.fleet/cookie_secret.jupyter",
        f"{HOME}/.local/share/jupyter/runtime/jpserver-1.json",
        "/etc/ssh/ssh_host_ed25519_key",
    ):
        text = f"{PEM} tok-0123456789"
        assert kinds(path, text, known=("tok-0123456789",)) == set()
        assert "a private key" in kinds(path, text, sanitised=True)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        (f"{HOME}/.ssh/authorized_keys", "who may log in"),
        ("/root/.ssh/authorized_keys", "who may log in"),
        ("/etc/ssh/ssh_host_rsa_key.pub", "an SSH host key"),
        (f"{HOME}/.fleet/asked.json", "of this instance's environment"),
        (f"{HOME}/.fleet/bake/scripts/0.sh", "of this instance's environment"),
        ("/etc/fleet/expires-at", "this instance's end"),
        ("/var/lib/systemd/timers/stamp-fleet-expiry.timer", "this instance's end"),
        (f"{HOME}/.fleet/watchers/expires-at", "this instance's end"),
        ("/etc/systemd/system/fleet-jupyter.service", "a service of this instance"),
        ("/etc/systemd/system/fleet-expiry.timer.d/extended.conf", "a service of this instance"),
        (f"{HOME}/.bash_history", "what somebody typed"),
        ("/var/lib/cloud/data/instance-id", "this instance's state"),
        ("/etc/machine-id", "this instance's id"),
        ("/var/lib/systemd/random-seed", "this instance's seed"),
    ],
)
def test_what_is_left_of_one_instance_is_told(path: str, what: str) -> None:
    assert kinds(path, "a", sanitised=True) == {what}
    assert kinds(path, "", sanitised=True) == set()
    assert kinds(path, "a") == set()


@pytest.mark.parametrize(
    "path",
    ["jupyter/bin/jupyter", "kernels/fleet-pytorch/pyvenv.cfg", "watchers/clock.py", "probed"],
)
def test_what_was_installed_may_stay(path: str) -> None:
    assert kinds(f"{HOME}/.fleet/{path}", "a", sanitised=True) == set()


def packed(files: dict[str, bytes]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", encoding="utf-8", errors="surrogateescape") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return raw.getvalue()


def test_a_tar_is_gone_through_to_its_end() -> None:
    secret = b"one\n\nx AKIAQYLPMN5HHHFPZAM2\n"
    odd = "/home/a/o\ndd \udcff\u202e"
    stream = io.BytesIO(packed({"/etc/a": b"", odd: secret, "/etc/b": b"\0\0" + secret}))
    told = list(leaks.scan(stream, [], sanitised=False))
    what = "an AWS access key id"
    assert told == [
        {"path": "/home/a/o\\ndd \\xff\\u202e", "line": 3, "what": what},
        {"path": "/etc/b", "line": 0, "what": what},
        {"files": 3},
    ]
    assert "AKIAQ" not in str(told)


def test_a_tar_that_breaks_off_is_no_clean_one() -> None:
    whole = packed({"/etc/a": b"x" * 4000, "/etc/b": b"y"})
    with pytest.raises(tarfile.ReadError):
        list(leaks.scan(io.BytesIO(whole[:2000]), [], sanitised=False))


@pytest.mark.parametrize("program", sorted(load_bake_texts().programs))
def test_it_runs_on_the_python_of_amazon_linux(program: str) -> None:
    """By its grammar; which modules it imports: the standard library's alone."""
    tree = ast.parse(load_bake_texts().programs[program], feature_version=(3, 9))
    imports = [each for each in ast.walk(tree) if isinstance(each, ast.Import | ast.ImportFrom)]
    names = {
        name.split(".")[0]
        for each in imports
        for name in (
            [each.module or ""]
            if isinstance(each, ast.ImportFrom)
            else [one.name for one in each.names]
        )
    }
    assert names <= sys.stdlib_module_names

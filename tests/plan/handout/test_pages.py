"""What is handed out, and that no name breaks it."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from fleet.assets.handout_files import load_handout_texts
from fleet.errors import UsageError
from fleet.plan import tags
from fleet.plan.handout.pages import Page
from fleet.plan.handout.text import HandoutTexts, render_handouts
from tests.plan.handout.handouts import LONG, NAMES, TOKEN, overview, page, unready

TEXTS = load_handout_texts(None)


class Elements(HTMLParser):
    """Every element and attribute of a page, and the text of its heading."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.heading = ""
        self._in_heading = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        self._in_heading = tag == "h1"

    def handle_endtag(self, tag: str) -> None:
        self._in_heading &= tag != "h1"

    def handle_data(self, data: str) -> None:
        self.heading += data if self._in_heading else ""


def rendered(*members: str, **more: str) -> dict[str, str]:
    return render_handouts(TEXTS, overview(*members, **more))


def alone(one: Page) -> tuple[str, str]:
    """One page, in HTML and Markdown."""
    whole = replace(overview("ana"), pages=(one,))
    files = render_handouts(TEXTS, whole)
    return files["workshop-ana.html"], files["workshop-ana.md"]


def test_every_name_stands_in_its_page_and_makes_no_element() -> None:
    files = rendered(*NAMES)
    plain = Elements(files["workshop-ana.html"]).found
    for one in overview(*NAMES).pages:
        elements = Elements(files[f"{one.alias}.html"])
        assert elements.heading == one.member
        assert [tag for tag, _ in elements.found] == [tag for tag, _ in plain]
        assert not [a for _, a in elements.found if any(name.startswith("on") for name in a)]
    table = Elements(files["overview.html"])
    assert sum(tag == "tr" for tag, _ in table.found) == len(NAMES) + 1
    assert not [tag for tag, _ in table.found if tag in {"img", "script"}]


def test_files_are_named_in_plain_letters_and_apart() -> None:
    files = rendered(*NAMES)
    assert len(files) == 2 + 2 * len(NAMES)
    assert all(len(name) < 100 and set(name) <= set(PLAIN) for name in files)
    assert {"workshop-ana.html", "workshop-jose.md"} <= set(files)


PLAIN = "abcdefghijklmnopqrstuvwxyz0123456789-."


def test_a_page_needs_nothing_from_elsewhere() -> None:
    (html,) = [text for name, text in rendered("ana").items() if name == "workshop-ana.html"]
    for tag, attributes in Elements(html).found:
        assert tag not in {"link", "img", "iframe"}
        assert "src" not in attributes
    assert "default-src 'none'" in html


def test_a_page_says_how_to_open_and_trust_and_ask() -> None:
    files = rendered("ana")
    for text in (files["workshop-ana.html"], files["workshop-ana.md"]):
        assert f"https://203.0.113.7:8888/lab?token={TOKEN}" in text
        assert f"https://203.0.113.7:6006/tensorboard/?token={TOKEN}" in text
        assert "ssh ubuntu@203.0.113.7" in text
        assert "SHA256:" in text
        assert "Saturday 21 November 2026, 17:30 UTC" in text
        assert "anna@example.org" in text
        assert "fleet extend workshop 2h --member ana" in text
        for word in ("Windows", "macOS", "Linux", "Firefox", "VS Code"):
            assert word in text
    links = [a for tag, a in Elements(files["workshop-ana.html"]).found if tag == "a"]
    assert "mailto:anna%40example.org?subject=workshop%3A%20more%20time%20for%20ana" in [
        a["href"] for a in links
    ]
    (saved,) = [a for a in links if "download" in a]
    assert saved["download"] == "workshop-ca.crt"


@pytest.mark.parametrize("contact", ["", "the chat, ask Anna <3", "anna@here", "a@b.c, d@e.f"])
def test_a_contact_that_is_no_address_is_no_link(contact: str) -> None:
    html = rendered("ana", contact=contact)["workshop-ana.html"]
    assert "mailto:" not in html


def test_a_person_gets_the_account_without_sudo() -> None:
    assert page(**{tags.ACCOUNT: "member"}).ssh == "ssh member@203.0.113.7"


def test_behind_a_bastion_links_lead_through_the_tunnel() -> None:
    one = page(**{tags.VIA: "bastion ana@bastion.example.org:2222"})
    assert one.ssh == "ssh -J ana@bastion.example.org:2222 ubuntu@172.31.0.7"
    assert one.tunnel == (
        "ssh -N -L 8888:172.31.0.7:8888 -L 6006:172.31.0.7:6006 "
        "-J ana@bastion.example.org:2222 ubuntu@172.31.0.7"
    )
    assert one.jupyter_url == f"https://127.0.0.1:8888/lab?token={TOKEN}"
    html, markdown = alone(one)
    assert one.tunnel in html
    assert one.tunnel in markdown
    assert "<svg" not in html, "another device cannot open that link"


def test_where_only_ssh_comes_in_links_lead_through_it() -> None:
    one = page(**{tags.VIA: "tunnel", tags.TLS: tags.NO_TLS})
    assert one.tunnel.endswith(" ubuntu@203.0.113.7")
    assert one.jupyter_url == f"http://127.0.0.1:8888/lab?token={TOKEN}"
    assert one.authority is None


def test_in_a_private_network_it_says_so() -> None:
    one = page(**{tags.VIA: "direct"})
    assert one.jupyter_url is not None
    assert one.jupyter_url.startswith("https://172.31.0.7:8888/")
    assert all("VPN" in text for text in alone(one))


def test_without_tls_nothing_is_to_be_trusted() -> None:
    one = page(**{tags.TLS: tags.NO_TLS})
    assert not any("certutil" in text for text in alone(one))


def test_a_page_of_what_is_not_ready_says_why() -> None:
    html, markdown = alone(unready(page(), "Jupyter does not answer <b>"))
    assert "Jupyter does not answer &lt;b&gt;" in html
    assert "Jupyter does not answer \\<b\\>" in markdown
    assert TOKEN not in html + markdown


def test_the_table_is_whole_and_runs_nothing() -> None:
    members = ("ana", "=HYPERLINK(1)", "@sum", LONG)
    text = rendered(*members)["overview.csv"]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["member"] for row in rows] == ["ana", "'=HYPERLINK(1)", "'@sum", LONG]
    assert rows[0]["page"] == "workshop-ana.html"
    assert rows[0]["jupyter_url"].endswith(TOKEN)
    assert rows[0]["expires_at"] == "2026-11-21T17:30:00Z"


def own(text: str) -> HandoutTexts:
    return replace(TEXTS, page=text, page_name="ours.html.j2")


def test_a_template_of_ones_own_takes_the_place_of_the_page() -> None:
    files = render_handouts(own("Hello {{ page.member }}: {{ qr }}"), overview("<b>"))
    (html,) = [text for name, text in files.items() if name.endswith("b.html")]
    assert html.startswith("Hello &lt;b&gt;: <svg")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("one\n{{ page.nobody }}", "ours.html.j2:2: "),
        ("one\n\n{% if %}", "ours.html.j2:3: "),
        ("{{ page.member + 1 }}", "ours.html.j2:1: "),
        ("{{ 1 / 0 }}", "ours.html.j2:1: "),
        ("{{ page.__class__.__mro__[1].__subclasses__() }}", "ours.html.j2:1: "),
        ("{{ cycler.__init__.__globals__.os.system('id') }}", "ours.html.j2:1: "),
        ("{% include '/etc/passwd' %}", "ours.html.j2"),
        ("{% for i in range(10 ** 9) %}{% endfor %}", "ours.html.j2:1: "),
    ],
)
def test_a_template_that_cannot_be_rendered_is_told_in_one_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        render_handouts(own(text), overview("ana"))
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)

"""Draws QR codes. Pure."""

from __future__ import annotations


def qr_svg(text: str) -> str:
    """Draw a text as SVG that stands inline in HTML and takes the width of what it stands in.

    Error correction M: a page that is folded or stained is read all the same.
    """
    import segno  # noqa: PLC0415 - for hand-outs alone

    code = segno.make_qr(text, error="m")
    return code.svg_inline(border=4, omitsize=True, dark="#000", light="#fff")

"""One report as one HTML file that needs nothing else: no host, no font, no other file.

The Content-Security-Policy in the page forbids every fetch, and every script but the two that are here, by
their hashes. The same sections give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from tallystick.figures.html import data_script, render_section
from tallystick.report import Section

__all__ = ["page"]


def page(
    title: str,
    sections: Sequence[Section],
    *,
    lead: str = "",
    facts: Mapping[str, str] | None = None,
    data: Any = None,
) -> str:
    """Give the whole HTML document as text, to be written as UTF-8.

    `lead` says the outcome in plain words; `facts` are short pairs under it (model, input, split); `data` is
    the report as plain values, embedded for machines in `<script type="application/json" id="report">`.
    All text is escaped.

    >>> text = page("Complaints", [Section("outcome", "Outcome")], lead="Of 10 complaints 9 are right.")
    >>> text.startswith("<!doctype html>"), "<h1>Complaints</h1>" in text
    (True, True)
    """
    library, draw, style = _plotly(), _asset("draw.js"), _asset("style.css")
    # plotly.js sets styles on what it draws, hence 'unsafe-inline' for styles; scripts are held by hash.
    policy = (
        f"default-src 'none'; script-src {_hash(library)} {_hash(draw)}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    keys = [f"part-{i}" for i in range(1, len(sections) + 1)]
    contents = "".join(
        f'<li><a href="#{key}">{html.escape(section.title)}</a></li>'
        for key, section in zip(keys, sections, strict=True)
    )
    body = "\n".join(render_section(section, key) for key, section in zip(keys, sections, strict=True))
    pairs = "".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>"
        for name, value in (facts or {}).items()
    )
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<meta name="referrer" content="no-referrer">',
            '<link rel="icon" href="data:,">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            '<a class="skip" href="#main">Skip to the report</a>',
            f"<header>\n<h1>{html.escape(title)}</h1>",
            f'<p class="lead">{html.escape(lead)}</p>' if lead else "",
            f"<dl>{pairs}</dl>" if pairs else "",
            f'<nav aria-label="Contents"><ul>{contents}</ul></nav>' if len(sections) > 1 else "",
            "</header>",
            f'<main id="main" tabindex="-1">\n{body}\n</main>',
            "<footer><p>Made by Tallystick. This file holds all it shows and fetches nothing.</p></footer>",
            "<noscript><p>The charts need JavaScript; the tables hold the same figures.</p></noscript>",
            "" if data is None else data_script("report", data),
            f"<script>{library}</script>",
            f"<script>{draw}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _asset(name: str) -> str:
    return files("tallystick.figures").joinpath(name).read_text(encoding="utf-8")


@cache
def _plotly() -> str:
    """Read plotly.js out of the installed package; newlines as a browser reads them, for the hash."""
    from plotly.offline import get_plotlyjs

    script = str(get_plotlyjs()).replace("\r\n", "\n").replace("\r", "\n")
    return script.replace("</script", "<\\/script")


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"

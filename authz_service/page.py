"""A page of HTML that needs nothing else, runs nothing, and is fit to print."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# Names are isolated, so that one that is written from right to left turns nothing else around.
_STYLE: Final = """\
body { font: 0.9rem/1.4 system-ui, sans-serif; color: #111; max-width: 75rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.4rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 0.5rem; }
h1, h2, dd, td, li, p { unicode-bidi: isolate; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; }
dt { color: #555; }
dd { margin: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #bbb; padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }
th { background: #eee; }
pre { background: #f6f6f6; padding: 0.5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
@media print {
  @page { margin: 15mm; }
  body { font-size: 9pt; max-width: none; margin: 0; padding: 0; }
  a { color: inherit; text-decoration: none; }
  thead { display: table-header-group; }
  h2 { break-after: avoid; }
  tr, dl, .rule { break-inside: avoid; }
}
"""
# Whatever a name may smuggle in, nothing is run and nothing is fetched.
_NOTHING_ELSE: Final = "default-src 'none'; style-src 'unsafe-inline'"
# What stands after everything else.
CLOSE: Final = "</body></html>"


def open_page(title: str, style: str = "") -> Iterator[str]:
    """Begin a page, line by line.

    Arguments:
        title: what it is.
        style: rules of CSS for what only this page has.
    """
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield '<head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_NOTHING_ELSE}">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{write_text(title)}</title>"
    yield f"<style>\n{_STYLE}{style}</style></head>"
    yield f"<body><h1>{write_text(title)}</h1>"


def write_text(value: object) -> str:
    """Write a value as text, whatever it holds."""
    return escape(str(value))

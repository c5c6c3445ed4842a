"""Looks a built site over: no page, style or picture may load anything from another host. `make docs` calls it.

Links that a reader may follow are none of that: they load nothing until somebody clicks.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

# What a browser fetches by itself, by element and attribute.
LOADING = {
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("link", "href"),
    ("image", "href"),
    ("use", "href"),
}
# Relations of <link> that only say where something is.
SAYING = {"canonical", "prev", "next", "alternate", "license"}
IN_STYLES = re.compile(r"(?:url\(\s*|@import\s+)['\"]?((?:https?:)?//[^'\")\s]+)")


class Page(HTMLParser):
    """Collects the addresses of other hosts that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and set((given.get("rel") or "").split()) & SAYING:
            return
        for name, value in attrs:
            if (tag, name) in LOADING and re.match(r"(?:https?:)?//", value or ""):
                self.foreign.append(f"<{tag} {name}={value}>")


def foreign(path: Path) -> list[str]:
    """What the file loads from other hosts."""
    text = path.read_text(encoding="utf-8", errors="replace")
    found = IN_STYLES.findall(text) if path.suffix in {".css", ".svg", ".html"} else []
    if path.suffix in {".html", ".svg"}:
        page = Page()
        page.feed(text)
        found += page.foreign
    return found


def main() -> int:
    """0 where nothing is loaded from elsewhere, else 1."""
    site = Path(sys.argv[1])
    pages = [path for path in site.rglob("*") if path.suffix in {".html", ".css", ".svg"}]
    if not pages:
        print(f"{site} has no pages", file=sys.stderr)
        return 1
    found = [f"{path}: {address}" for path in pages for address in foreign(path)]
    print("\n".join(found) or f"{len(pages)} files load nothing from other hosts")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

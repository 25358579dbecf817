"""A built site fetches nothing from elsewhere when read: `python -m checks.offline FOLDER`."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

FOREIGN = re.compile(r"^\s*(?:https?:)?//", re.IGNORECASE)
IN_STYLES = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s;]+)""", re.IGNORECASE)
SOURCES = ("src", "srcset", "data", "poster")


class Fetched(HTMLParser):
    """The foreign addresses that a page fetches; links that a reader may follow are none."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at what this element fetches, and at its style."""
        given = {name: value or "" for name, value in attrs}
        wanted = [given.get(name, "") for name in SOURCES]
        if tag == "link" and given.get("rel", "").lower() not in ("canonical", "author", "license"):
            wanted.append(given.get("href", ""))
        self.addresses += [address for address in wanted if FOREIGN.match(address)]
        self.addresses += IN_STYLES.findall(given.get("style", ""))

    def handle_data(self, data: str) -> None:
        """Look at a style sheet inside the page."""
        if self.cdata_elem == "style":
            self.addresses += IN_STYLES.findall(data)


def foreign(folder: Path) -> list[str]:
    """A line for each address of elsewhere that a page or a style sheet fetches."""
    found = []
    for path in sorted(folder.rglob("*.html")):
        page = Fetched()
        page.feed(path.read_text())
        found += [f"{path}: {address}" for address in page.addresses]
    for path in sorted(folder.rglob("*.css")):
        found += [f"{path}: {address}" for address in IN_STYLES.findall(path.read_text())]
    return found


def main() -> int:
    """Name what would be fetched from elsewhere, and fail where no page is found at all."""
    folder = Path(sys.argv[1])
    if not any(folder.rglob("*.html")):
        print(f"no page in {folder}")
        return 1
    lines = foreign(folder)
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())

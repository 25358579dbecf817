"""No module is longer than 400 lines: `python -m checks.lengths FOLDER_OR_MODULE …`."""

import sys
from collections.abc import Iterator
from pathlib import Path

MAX_LINES = 400


def modules(place: Path) -> Iterator[Path]:
    """The Python files of a folder, or the one file."""
    return iter(sorted(place.rglob("*.py")) if place.is_dir() else [place])


def too_long(places: list[Path]) -> list[str]:
    """A sentence for each module that has more lines than it may."""
    found = []
    for place in places:
        for module in modules(place):
            lines = len(module.read_text().splitlines())
            if lines > MAX_LINES:
                found.append(f"{module}: {lines} lines; no module has more than {MAX_LINES}")
    return found


def main() -> int:
    """Name the modules that are too long."""
    places = [Path(name) for name in sys.argv[1:]]
    if missing := [str(place) for place in places if not place.exists()]:
        print("no such file or folder:", *missing)
        return 1
    found = too_long(places)
    for sentence in found:
        print(sentence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

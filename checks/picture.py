"""Draw the packages and their imports: `python -m checks.picture [--check] [ROOT]`, an SVG.

A box is an app or a part of the rating code, the boxes in it are its rooms. A line leads down to
what is imported; where a longer way leads there too, it is left out. Views that stand above the
room they lie in (`.importlinter` excepts them as well) belong to the app alone. With --check
nothing is written, and the picture has to be what the imports are.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from grimp import ImportGraph

from checks.imports import ROOT, read_imports

PICTURE = ROOT / "docs" / "images" / "packages.svg"
NO_ROOMS = {"management", "migrations", "templatetags"}
ABOVE_THEIR_ROOM = {"arena.events.importing.views", "arena.judging.importing.views"}
OWN_BOX = {"leaderboard.ratings", "leaderboard.trust"}
"""Packages of the leaderboard that are boxes of their own: they know nothing of it."""

LETTER = 7.4
HEIGHT = 26
GAP = 16
PAD = 14
ROW = 62
"""From one row of rooms to the next."""
TITLE = 30
BEND = 60
"""How far a line goes aside where it passes a row of rooms."""
BAND = 48
"""Between two rows of boxes."""

STYLE = """
  .ground { fill: #ffffff } .box { fill: #f3f5f8; stroke: #8a94a6 }
  .room { fill: #ffffff; stroke: #b6bfcc } text { font: 13px system-ui, sans-serif; fill: #1c2430 }
  .title { font-weight: 600 } .line { stroke: #66718a; fill: none; stroke-width: 1.2 }
  .way { stroke: #2456a6; fill: none; stroke-width: 2 } .head { fill: #2456a6 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #14171c } .box { fill: #1d222b; stroke: #66718a }
    .room { fill: #14171c; stroke: #4b5567 } text { fill: #e4e8ef } .line { stroke: #8a94a6 }
    .way { stroke: #7fb0ff } .head { fill: #7fb0ff }
  }
"""

Edges = dict[str, set[str]]


@dataclass
class Box:
    """A rectangle with a name; x and y are its upper left corner."""

    name: str
    width: float
    height: float
    x: float = 0
    y: float = 0
    rooms: list["Box"] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)


# --- from imports to edges --------------------------------------------------------------------
def place_of(module: str, packages: set[str]) -> tuple[str, str] | None:
    """The box and the room of a module; the room is empty for what lies beside the rooms."""
    parts = module.split(".")
    own = ".".join(parts[:2])
    depth = 2 if parts[0] == "arena" or own in OWN_BOX else 1
    box = ".".join(parts[:depth])
    if len(parts) < depth or box not in packages or NO_ROOMS & set(parts[1:depth]):
        return None
    room = ".".join(parts[: depth + 1])
    is_room = len(parts) > depth and room in packages and parts[depth] not in NO_ROOMS
    return box, room if is_room and module not in ABOVE_THEIR_ROOM else ""


def read_edges(graph: ImportGraph) -> tuple[Edges, dict[str, Edges]]:
    """Which box imports which, and inside each box which room imports which."""
    packages = {name.rpartition(".")[0] for name in graph.modules}
    boxes: Edges = {}
    rooms: dict[str, Edges] = {}
    for module in sorted(graph.modules):
        here = place_of(module, packages)
        if here is None:
            continue
        box, room = here
        boxes.setdefault(box, set())
        inside = rooms.setdefault(box, {})
        if room:
            inside.setdefault(room, set())
        for imported in graph.find_modules_directly_imported_by(module):
            there = place_of(imported, packages)
            if there is not None and there[0] != box:
                boxes[box].add(there[0])
            elif there is not None and room and there[1] and there[1] != room:
                inside[room].add(there[1])
    return boxes, rooms


def reached(edges: Edges, start: str) -> set[str]:
    """Everything that is imported by something, at whatever distance."""
    found: set[str] = set()
    waiting = list(edges[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += edges[name]
    return found


def reduce_edges(edges: Edges) -> Edges:
    """The same without the imports to which a longer way leads as well."""
    return {
        name: {
            imported
            for imported in direct
            if not any(imported in reached(edges, other) for other in direct - {imported})
        }
        for name, direct in edges.items()
    }


def find_rows(edges: Edges) -> list[list[str]]:
    """Names by row, the first row imported by nothing; each as high as its importers let it."""
    depth: dict[str, int] = {}

    def depth_of(name: str) -> int:
        if name not in depth:
            above = [other for other, imported in edges.items() if name in imported]
            depth[name] = 1 + max((depth_of(other) for other in above), default=-1)
        return depth[name]

    rows: list[list[str]] = [[] for _ in range(1 + max(map(depth_of, edges), default=-1))]
    for name in sorted(edges):
        rows[depth_of(name)].append(name)
    for index, row in enumerate(rows[1:], start=1):
        above = {name: place for place, name in enumerate(rows[index - 1])}
        row.sort(key=lambda name: (mean_place(name, above, edges), name))
    return rows


def mean_place(name: str, above: Mapping[str, int], edges: Edges) -> float:
    """Where in the row above those stand that import this one."""
    places = [place for other, place in above.items() if name in edges[other]]
    return sum(places) / len(places) if places else float(len(above))


# --- from edges to boxes ----------------------------------------------------------------------
def spread(boxes: Iterable[Box], width: float, y: float) -> None:
    """Put boxes side by side around the middle of a row."""
    row = list(boxes)
    x = (width - sum(box.width for box in row) - GAP * (len(row) - 1)) / 2
    for box in row:
        box.x, box.y = x, y
        x += box.width + GAP


def build_box(name: str, inside: Edges) -> Box:
    """A box with its rooms in rows."""
    edges = reduce_edges(inside)
    rows = [
        [Box(room, len(room.rpartition(".")[2]) * LETTER + 18, HEIGHT) for room in row]
        for row in find_rows(edges)
    ]
    widths = [sum(room.width + GAP for room in row) - GAP for row in rows]
    width = max([len(name) * LETTER + 8, *widths]) + 2 * PAD
    height = TITLE + (ROW * (len(rows) - 1) + HEIGHT + PAD if rows else 4)
    for number, row in enumerate(rows):
        spread(row, width, TITLE + number * ROW)
    lines = [(room, other) for room in sorted(edges) for other in sorted(edges[room])]
    return Box(name, width, height, rooms=[room for row in rows for room in row], lines=lines)


def lay_out(graph: ImportGraph) -> tuple[list[Box], Edges, float, float]:
    """Every box in its place, the lines between boxes, and the size of the picture."""
    all_edges, rooms = read_edges(graph)
    edges = reduce_edges(all_edges)
    rows = [[build_box(name, rooms[name]) for name in row] for row in find_rows(edges)]
    width = 2 * GAP + max(sum(box.width + GAP for box in row) for row in rows)
    y: float = GAP
    for row in rows:
        spread(row, width, y)
        y += max(box.height for box in row) + BAND
    return [box for row in rows for box in row], edges, width, y - BAND + GAP


# --- from boxes to SVG ------------------------------------------------------------------------
def curve(upper: Box, lower: Box, kind: str, origin: tuple[float, float] = (0, 0)) -> str:
    """A line from the bottom of one box to the top of another."""
    x1, y1 = origin[0] + upper.x + upper.width / 2, origin[1] + upper.y + upper.height
    x2, y2 = origin[0] + lower.x + lower.width / 2, origin[1] + lower.y
    if kind == "way":
        y2 -= 8  # room for the arrow's head
    middle = (y1 + y2) / 2
    aside = 0 if kind == "way" or y2 - y1 < ROW else -BEND if x1 <= x2 else BEND
    head = ' marker-end="url(#head)"' if kind == "way" else ""
    bends = f"{x1 + aside:.0f} {middle:.0f} {x2 + aside:.0f} {middle:.0f}"
    path = f"M{x1:.0f} {y1:.0f}C{bends} {x2:.0f} {y2:.0f}"
    return f'<path class="{kind}"{head} d="{path}"/>'


def rectangle(box: Box, kind: str, origin: tuple[float, float] = (0, 0)) -> str:
    """The outline of a box."""
    x, y = origin[0] + box.x, origin[1] + box.y
    size = f'width="{box.width:.0f}" height="{box.height:.0f}"'
    return f'<rect class="{kind}" x="{x:.0f}" y="{y:.0f}" {size} rx="5"/>'


def label(text: str, x: float, y: float, kind: str = "") -> str:
    """Words around a point."""
    style = f' class="{kind}"' if kind else ""
    return f'<text{style} x="{x:.0f}" y="{y:.0f}" text-anchor="middle">{escape(text)}</text>'


def draw_box(box: Box) -> list[str]:
    """A box, the lines inside, and over them its rooms."""
    parts = [rectangle(box, "box"), label(box.name, box.x + box.width / 2, box.y + 20, "title")]
    by_name = {room.name: room for room in box.rooms}
    origin = (box.x, box.y)
    parts += [curve(by_name[a], by_name[b], "line", origin) for a, b in box.lines]
    for room in box.rooms:
        x, y = box.x + room.x + room.width / 2, box.y + room.y + 18
        parts += [rectangle(room, "room", origin), label(room.name.rpartition(".")[2], x, y)]
    return parts


def draw(graph: ImportGraph) -> str:
    """The whole picture."""
    boxes, edges, width, height = lay_out(graph)
    by_name = {box.name: box for box in boxes}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}"'
        f' width="{width:.0f}" height="{height:.0f}" role="img">',
        "<title>The packages of Crowd Arena and their imports</title>",
        f"<style>{STYLE}</style>",
        '<marker id="head" viewBox="0 0 8 8" refX="1" refY="4" markerUnits="userSpaceOnUse"'
        ' markerWidth="10" markerHeight="10" orient="auto">'
        '<path class="head" d="M0 0L8 4L0 8z"/></marker>',
        '<rect class="ground" width="100%" height="100%"/>',
    ]
    parts += [
        curve(by_name[name], by_name[other], "way")
        for name in sorted(edges)
        for other in sorted(edges[name])
    ]
    parts += [part for box in boxes for part in draw_box(box)]
    return "\n".join([*parts, "</svg>", ""])


def main() -> int:
    """Write the picture, or with --check say whether it is still true."""
    places = [Path(name) for name in sys.argv[1:] if name != "--check"]
    picture = draw(read_imports(places[0] if places else ROOT))
    if "--check" not in sys.argv:
        PICTURE.write_text(picture)
        return 0
    if PICTURE.read_text() == picture:
        return 0
    print(f"{PICTURE.relative_to(ROOT)} is not what the imports are; make picture")
    return 1


if __name__ == "__main__":
    sys.exit(main())

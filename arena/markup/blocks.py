"""What blocks get after parsing: levels of headings, alignment, and the direction of each."""

from collections.abc import Iterable
from unicodedata import bidirectional

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

TOP_HEADING = 3  # the page's own headings are above
ALIGNMENTS = {"left": "to-start", "center": "to-center", "right": "to-end"}
# From so many digits on, numbers do not fit into a list's indent.
WIDE_NUMBERS = {3: "wide-numbers", 5: "widest-numbers"}
DIRECTIONS = {"L": "ltr", "R": "rtl", "AL": "rtl"}
# Boxes take the direction of the first words in them: a bullet stands where its item begins, and
# the first column of a table where its first cell would.
CONTAINER_BLOCKS = frozenset({"blockquote_open", "list_item_open", "table_open"})
LEAF_BLOCKS = frozenset({"paragraph_open", "heading_open", "th_open", "td_open"})


def finalize_blocks(state: StateCore) -> None:
    """Set headings, alignment, list markers and direction of all tokens."""
    _shift_headings(state.tokens)
    _set_directions(state.tokens)
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and "style" in token.attrs:
            side = str(token.attrs.pop("style")).removeprefix("text-align:")
            token.attrs["class"] = ALIGNMENTS[side]
        elif token.type == "ordered_list_open":
            _set_number_width(token)


def find_direction(text: str) -> str | None:
    """The direction of the first letter that has one."""
    return next((DIRECTIONS[kind] for kind in map(bidirectional, text) if kind in DIRECTIONS), None)


def _shift_headings(tokens: Iterable[Token]) -> None:
    """Headings start below the page's own and never jump a level."""
    above: list[int] = []
    for token in tokens:
        if token.type == "heading_open":
            level = int(token.tag[1])
            while above and above[-1] >= level:
                above.pop()
            above.append(level)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(TOP_HEADING - 1 + len(above), 6)}"


def _set_directions(tokens: Iterable[Token]) -> None:
    """Each block is laid out by its own words; one without any follows what it stands in."""
    undecided: list[Token] = []
    leaf: Token | None = None
    for token in tokens:
        if token.type in CONTAINER_BLOCKS:
            undecided.append(token)
        elif token.type in LEAF_BLOCKS:
            leaf = token
        elif token.type == "inline" and (direction := find_direction(_get_prose(token))):
            if leaf is not None:
                leaf.attrs["dir"] = "auto"
            for box in undecided:
                box.attrs["dir"] = direction
            undecided = []
        elif token.nesting < 0:
            leaf = None
            undecided = [box for box in undecided if box.level < token.level]


def _get_prose(token: Token) -> str:
    """The text of an inline token but for code and formulas, which run from left to right."""
    return "".join(child.content for child in token.children or [] if child.type == "text")


def _set_number_width(opening: Token) -> None:
    """A class for the width of an ordered list's numbers; it has no more items than lines."""
    lines = opening.map[1] - opening.map[0] if opening.map else 0
    digits = len(str(int(opening.attrs.get("start", 1)) + lines - 1))
    classes = [name for least, name in WIDE_NUMBERS.items() if digits >= least]
    if classes:
        opening.attrs["class"] = classes[-1]

"""Post-processing of blocks: heading levels, alignment, and text direction."""

from collections.abc import Iterable
from unicodedata import bidirectional

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

TOP_HEADING = 3  # the page's own headings are above
ALIGNMENTS = {"left": "to-start", "center": "to-center", "right": "to-end"}
# Classes by minimum number of digits that does not fit into a list's indent.
WIDE_NUMBERS = {3: "wide-numbers", 5: "widest-numbers"}
DIRECTIONS = {"L": "ltr", "R": "rtl", "AL": "rtl"}
# Containers take the direction of the first text in them, which places bullets and table columns.
CONTAINER_BLOCKS = frozenset({"blockquote_open", "list_item_open", "table_open"})
LEAF_BLOCKS = frozenset({"paragraph_open", "heading_open", "th_open", "td_open"})


def finalize_blocks(state: StateCore) -> None:
    """Set heading levels, alignment, list number widths and directions of all tokens."""
    _shift_headings(state.tokens)
    _set_directions(state.tokens)
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and "style" in token.attrs:
            side = str(token.attrs.pop("style")).removeprefix("text-align:")
            token.attrs["class"] = ALIGNMENTS[side]
        elif token.type == "ordered_list_open":
            _set_number_width(token)


def find_direction(text: str) -> str | None:
    """The direction of the first character that has one; None if none has."""
    return next((DIRECTIONS[kind] for kind in map(bidirectional, text) if kind in DIRECTIONS), None)


def _shift_headings(tokens: Iterable[Token]) -> None:
    """Shift headings below the page's own, without skipping levels."""
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
    """Set each block's direction by its own text; a block without text inherits it."""
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
    """The text of an inline token without code and formulas, which are left to right."""
    return "".join(child.content for child in token.children or [] if child.type == "text")


def _set_number_width(opening: Token) -> None:
    """Set a class for the width of an ordered list's numbers; it has at most as many items as
    lines."""
    lines = opening.map[1] - opening.map[0] if opening.map else 0
    digits = len(str(int(opening.attrs.get("start", 1)) + lines - 1))
    classes = [name for least, name in WIDE_NUMBERS.items() if digits >= least]
    if classes:
        opening.attrs["class"] = classes[-1]

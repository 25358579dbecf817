"""Inline rules that replace or extend CommonMark's: emphasis in CJK text, and `br`, `sub`, `sup`.

CommonMark decides by spaces and punctuation whether `**` opens or closes. Scripts without spaces
between words lack both, so that `**中文，**后` would stay unformatted. These rules follow the
specification "markdown-cjk-friendly": punctuation of these scripts counts as a letter, and a letter
of theirs beside other punctuation counts as a space. Thai and related scripts, which are written
without spaces too, are treated alike.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter

# Letters and punctuation of scripts without spaces between words, and Korean, whose particles
# follow a word without one.
UNSPACED_SCRIPTS = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u19e0-\u19ff\u20a9"
    "\u2e80-\u303e\u3040-\ua4cf\ua960-\ua97f\ua9e0-\ua9ff\uaa60-\uaa7f\uac00-\ud7ff\uf900-\ufaff"
    "\ufe10-\ufe1f\ufe30-\ufe6f\uff00-\uffee\U00016fe0-\U0001b2ff\U0001f200-\U0001f2ff"
    "\U00020000-\U0003fffd]"
)
VARIATION_SELECTORS = "\ufe00\ufe01\ufe02\ufe0e\ufe0f"  # they follow the letter they are about
RAW_TAG = re.compile(r"<(?:(br) ?/?|(su[bp]))>", re.IGNORECASE)
MAX_RAISED_LENGTH = 500  # characters between <sup> and </sup>
MAX_RAISED_DEPTH = 2


def add_inline_rules(parser: MarkdownIt) -> None:
    """Replace CommonMark's rules by these."""
    parser.inline.ruler.at("emphasis", _scan_emphasis)
    parser.inline.ruler.at("strikethrough", _scan_strikethrough)
    parser.inline.ruler.before("autolink", "tags", _read_tag)


def _classify_run(state: StateInline, start: int, end: int) -> tuple[bool, bool, bool, bool]:
    """Whether a run of markers is left-flanking, right-flanking, after and before punctuation."""
    before, after = state.src[start - 1 : start] or " ", state.src[end : end + 1]
    if before in VARIATION_SELECTORS and start > 1:
        before = state.src[start - 2]
    if end >= state.posMax or not after:
        after = " "
    cjk_before, cjk_after = _is_unspaced(before), _is_unspaced(after)
    punct_before, punct_after = _is_punctuation(before), _is_punctuation(after)
    space_before, space_after = isWhiteSpace(ord(before)), isWhiteSpace(ord(after))
    left = not space_after and (
        not punct_after or cjk_after or space_before or punct_before or cjk_before
    )
    right = not space_before and (
        not punct_before or cjk_before or space_after or punct_after or cjk_after
    )
    return left, right, punct_before, punct_after


def _is_unspaced(character: str) -> bool:
    return not character.isascii() and UNSPACED_SCRIPTS.match(character) is not None


def _is_punctuation(character: str) -> bool:
    return isMdAsciiPunct(ord(character)) or isPunctChar(character)


def _find_run_end(state: StateInline) -> int:
    marker, end = state.src[state.pos], state.pos
    while end < state.posMax and state.src[end] == marker:
        end += 1
    return end


def _scan_emphasis(state: StateInline, silent: bool) -> bool:
    """The rule for `*` and `_`: record where emphasis may open and close."""
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    end = _find_run_end(state)
    left, right, punct_before, punct_after = _classify_run(state, state.pos, end)
    splits = marker == "*"
    for _ in range(end - state.pos):
        state.push("text", "", 0).content = marker
        state.delimiters.append(
            Delimiter(
                marker=ord(marker),
                length=end - state.pos,
                token=len(state.tokens) - 1,
                end=-1,
                open=left and (splits or not right or punct_before),
                close=right and (splits or not left or punct_after),
            )
        )
    state.pos = end
    return True


def _scan_strikethrough(state: StateInline, silent: bool) -> bool:
    """The rule for `~~`: record where it may open and close; an odd tilde is text."""
    if silent or state.src[state.pos] != "~":
        return False
    end = _find_run_end(state)
    length = end - state.pos
    if length < 2:
        return False
    left, right, _before, _after = _classify_run(state, state.pos, end)
    if length % 2:
        state.push("text", "", 0).content = "~"
    for _ in range(length // 2):
        state.push("text", "", 0).content = "~~"
        state.delimiters.append(
            Delimiter(
                marker=ord("~"),
                length=0,  # no rule of three for tildes
                token=len(state.tokens) - 1,
                end=-1,
                open=left,
                close=right,
            )
        )
    state.pos = end
    return True


def _read_tag(state: StateInline, silent: bool) -> bool:
    """The rule for `<br>`, `<sub>…</sub>` and `<sup>…</sup>`, for which Markdown has no syntax."""
    found = RAW_TAG.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if found[1]:
        if not silent:
            state.push("hardbreak", "br", 0)
        state.pos = found.end()
        return True
    name, start, maximum = found[2].lower(), found.end(), state.posMax
    closing = re.compile(f"</{name}>", re.IGNORECASE)
    end = closing.search(state.src, start, min(maximum, start + MAX_RAISED_LENGTH))
    depth = state.env.get("raised", 0)
    if not end or depth >= MAX_RAISED_DEPTH:
        return False
    if not silent:
        state.env["raised"] = depth + 1
        state.pos, state.posMax = start, end.start()
        state.push(f"{name}_open", name, 1)
        state.md.inline.tokenize(state)
        state.push(f"{name}_close", name, -1)
        state.env["raised"] = depth
    state.pos, state.posMax = end.end(), maximum
    return True

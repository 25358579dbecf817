r"""Parser rules for formulas: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`, environments, `\boxed{…}`.

A formula is emitted as source, with delimiters, in `<code class="math">`; the browser draws it
(`static/js/math.js`). Past the budget, or if drawing would misread it, the class is `math-source`
and it stays source.
"""

import re
from collections.abc import Callable, MutableMapping, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from arena.markup.formulas import (
    ENVIRONMENT,
    ENVIRONMENTS,
    MAX_SOURCE,
    SOURCE_ENVIRONMENTS,
    find_brace,
    find_dollar,
    find_end,
    has_words_run_together,
    is_bracket_formula,
    is_dollar_formula,
)

# Past these limits formulas stay source, so that the browser's work is bounded too.
MAX_FORMULA = 3_000
MAX_FORMULAS_TOTAL = 20_000
DEFINITION = re.compile(r"\\(?:[gex]?def|(?:re)?newcommand|providecommand|let|futurelet)\b")
DEFINITION_COST = 2_000
CHEMISTRY = re.compile(r"\\(?:ce|pu)\b")
CHEMISTRY_COST = 4  # relative cost of a character
# Characters of failed searches after which openers are taken for text.
MAX_FAILED_SCAN = 1_000_000

CLOSERS = {"$$": "$$", r"\[": r"\]", r"\(": r"\)"}
OPENER = re.compile(r"(?<!\\)(\$\$|\\\[|\\begin\{[A-Za-z]+[0-9]?\*?\})")
CLOSED_SPAN = re.compile(
    r"`[^`]*`|\$\$.+?\$\$|(?<!\\)\\\[.+?\\\]|\\begin\{(\w+\*?)\}.*?\\end\{\1\}"
)
BLOCK_MARKER = re.compile(r"[-+*]\s|#{1,6}\s|[>|]|\d{1,9}[.)]\s|`{3}|~{3}")
BARE_COMMAND = re.compile(r"\\(?:boxed|fbox|ce|pu)\s*(?=\{)")
# Replaces a bar in a formula or code while tables are split into cells; it is stripped from input,
# so no text contains it.
BAR_PLACEHOLDER = "\ufdd0"
TABLE_ROW = re.compile(r"^(?=.*\|)(?=.*(?:[$`]|\\\()).*$", re.MULTILINE)
UNESCAPED_BAR = re.compile(r"(?<!\\)\|")
CELL_PART = re.compile(
    r"(?<![\\$])\$(?!\$)((?:\\.|[^$\\`])+)\$(.?)|\\\(.{1,300}?\\\)|(`)[^`\s](?:[^`]*[^`\s])?`"
)


def add_mathematics(parser: MarkdownIt) -> None:
    """Add the rules for formulas to the parser."""
    terminated: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    parser.core.ruler.before("block", "shelter_bars", _protect_bars)
    parser.core.ruler.after("block", "restore_bars", _restore_bars)
    parser.block.ruler.before("table", "math_block", _read_block, terminated)
    parser.inline.ruler.before("escape", "math", _read_inline)
    parser.add_render_rule("math", _render)
    parser.add_render_rule("math_block", _render)


def _find_formula(state: StateBlock | StateInline, start: int, end: int, *, is_line: bool) -> int:
    r"""The end of the formula starting with `$$`, `\(`, `\[` or an environment; -1 if none does."""
    text = state.src
    environment = ENVIRONMENT.match(text, start, end)
    if environment:
        if environment["name"] not in ENVIRONMENTS | SOURCE_ENVIRONMENTS:
            return -1
        name = environment["name"] + environment["star"]
        return _find_within_budget(state, lambda: find_end(text, name, environment.end(), end))
    opener = text[start : start + 2]
    if opener not in CLOSERS or (opener == "$$" and text[start - 1 : start] == "$"):
        return -1
    closer = text.find(CLOSERS[opener], start + 2, min(end, start + MAX_SOURCE))
    if closer < 0 or not is_bracket_formula(text[start + 2 : closer], is_line=is_line):
        return -1
    return closer + 2


def _find_within_budget(state: StateBlock | StateInline, find: Callable[[], int]) -> int:
    """The result of `find`; -1 once this text has spent its budget of failed searches."""
    if state.env["scanned"] > MAX_FAILED_SCAN:
        return -1
    position = find()
    if position < 0:
        state.env["scanned"] += MAX_SOURCE
    return position


# --- blocks ---------------------------------------------------------------------------------


def _read_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The block rule: a formula on lines of its own, or a paragraph around a multi-line formula.

    Lines that would otherwise start a list or a heading (`- y`, `= z`) are part of the formula.
    """
    begin = state.bMarks[start] + state.tShift[start]
    offset = _find_opening(state.src[begin : state.eMarks[start]])
    if offset < 0 or state.is_code_block(start):
        return False
    position = _find_formula(state, begin + offset, len(state.src), is_line=offset == 0)
    last = _find_last_line(state, start, end, position)
    if last < 0:
        return False
    is_alone = offset == 0 and not state.src[position : state.eMarks[last]].strip()
    if not is_alone and last == start:
        return False
    if silent:
        return True
    if is_alone:
        token = state.push("math_block", "math", 0)
        token.content = state.getLines(start, last + 1, state.blkIndent, False).strip()
        token.map, state.line = [start, last + 1], last + 1
    else:
        _push_paragraph(state, start, last + 1, end)
    return True


def _find_opening(line: str) -> int:
    """The offset at which a formula opens that this line starts with or leaves open; -1 if none."""
    if ("\\" not in line and "$$" not in line) or BLOCK_MARKER.match(line):
        return -1
    if OPENER.match(line):
        return 0
    opener = OPENER.search(CLOSED_SPAN.sub("", line))
    return line.rfind(opener[0]) if opener else -1


def _find_last_line(state: StateBlock, start: int, end: int, position: int) -> int:
    """The line of this position, if all lines up to it are in the same container; else -1."""
    line = start
    while line < end and position >= 0:
        if line > start and not state.isEmpty(line) and state.sCount[line] < state.blkIndent:
            return -1
        if state.eMarks[line] >= position:
            return line
        line += 1
    return -1


def _push_paragraph(state: StateBlock, start: int, line: int, end: int) -> None:
    """Push a paragraph from line `start` to where a paragraph continuing at `line` would end."""
    rules = state.md.block.ruler.getRules("paragraph")
    while line < end and not state.isEmpty(line) and state.sCount[line] >= state.blkIndent:
        if any(rule(state, line, end, True) for rule in rules):
            break
        line += 1
    state.push("paragraph_open", "p", 1).map = [start, line]
    token = state.push("inline", "", 0)
    token.content = state.getLines(start, line, state.blkIndent, False).strip()
    token.map, token.children = [start, line], []
    state.push("paragraph_close", "p", -1)
    state.line = line


def _protect_bars(state: StateCore) -> None:
    """Replace bars in formulas and code, so that they do not split table rows into cells."""
    if "|" in state.src:
        state.src = TABLE_ROW.sub(lambda row: CELL_PART.sub(_protect_cell_part, row[0]), state.src)


def _protect_cell_part(found: re.Match[str]) -> str:
    before = found.string[max(found.start() - 1, 0) : found.start()]
    if found[3]:  # what is escaped here is a bar in code too, without its backslash
        return UNESCAPED_BAR.sub(BAR_PLACEHOLDER, found[0])
    if found[1] and not is_dollar_formula(found[1], before, found[2]):
        return found[0]
    return found[0].replace("|", BAR_PLACEHOLDER)


def _restore_bars(state: StateCore) -> None:
    for token in state.tokens:
        token.content = token.content.replace(BAR_PLACEHOLDER, "|")


# --- in running text ------------------------------------------------------------------------


def _read_inline(state: StateInline, silent: bool) -> bool:
    """The inline rule."""
    start, maximum = state.pos, state.posMax
    if state.src[start] not in "$\\":
        return False
    end = _find_formula(state, start, maximum, is_line=False)
    if end < 0 and (bare := BARE_COMMAND.match(state.src, start, maximum)):
        opening = bare.end()
        brace = _find_within_budget(state, lambda: find_brace(state.src, opening, maximum))
        end = brace + 1 if brace > opening + 1 else -1
    if end < 0 and state.src[start] == "$":
        end = _find_dollar_formula(state)
    if end < 0:
        return False
    if not silent:
        state.push("math", "math", 0).content = state.src[start:end]
    state.pos = end
    return True


def _find_dollar_formula(state: StateInline) -> int:
    start = state.pos + 1
    if state.src[start : start + 1] == "$":
        return -1
    closer = _find_within_budget(state, lambda: find_dollar(state.src, start, state.posMax))
    before = state.src[start - 2 : start - 1] if start > 1 else ""
    after = state.src[closer + 1 : closer + 6]
    if closer < 0 or not is_dollar_formula(state.src[start:closer], before, after):
        return -1
    return closer + 1


# --- rendering ------------------------------------------------------------------------------


def _render(
    self: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    """Render the source of a formula, with the class that tells the browser to draw it or not."""
    source = tokens[index].content
    weight = CHEMISTRY_COST if CHEMISTRY.search(source) else 1
    env["formulas"] += weight * len(source) + DEFINITION_COST * bool(DEFINITION.search(source))
    environment = ENVIRONMENT.match(source)
    is_drawn = (
        len(source) <= MAX_FORMULA
        and env["formulas"] <= MAX_FORMULAS_TOTAL
        and not has_words_run_together(source)
        and not (environment and environment["name"] in SOURCE_ENVIRONMENTS)
    )
    html = f'<code class="math{"" if is_drawn else "-source"}" dir="ltr">{escape(source)}</code>'
    return f'<pre dir="ltr">{html}</pre>\n' if tokens[index].type == "math_block" else html

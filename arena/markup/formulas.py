r"""Distinguishing formulas from prices, shell variables and escaped brackets.

Everything that is not a formula stays text. A formula that TeX would read differently from its
author's intention (words run together, since TeX ignores spaces) is shown as source.
"""

import re

MAX_SOURCE = 10_000  # between the delimiters of a formula
# Drawn by the browser. KaTeX lacks some; `static/js/math.js` says what stands for them.
ENVIRONMENT_NAMES = (
    "equation align alignat gather multline eqnarray flalign displaymath math aligned alignedat"
    " gathered split cases dcases rcases drcases numcases array darray subarray matrix pmatrix"
    " bmatrix Bmatrix vmatrix Vmatrix smallmatrix CD subequations dmath empheq"
)
ENVIRONMENTS = frozenset(ENVIRONMENT_NAMES.split())
# Shown as source: nothing draws them, and as text they would lose their line ends.
SOURCE_ENVIRONMENT_NAMES = (
    "tabular tabularx longtable tikzpicture tikzcd circuitikz axis forest prooftree picture"
    " algorithm algorithmic algorithm2e verbatim lstlisting"
)
SOURCE_ENVIRONMENTS = frozenset(SOURCE_ENVIRONMENT_NAMES.split())
ENVIRONMENT = re.compile(r"\\begin\{(?P<name>[A-Za-z]+[0-9]?)(?P<star>\*?)\}")

FORMULA_TOKEN = re.compile(r"\\.|[{}$]", re.DOTALL)
BRACE_TOKEN = re.compile(r"\\.|[{}]", re.DOTALL)
MATH_SIGN = re.compile(r"\\[A-Za-z]|[\^_=<>]")
# Commands whose argument may hold words; any other command is a sign, not a word.
COMMAND = re.compile(
    r"\\(?:text\w*|math(?:rm|bf|it|sf|tt|bb|cal|frak|scr|normal)|mbox|hbox|fbox|operatorname\*?"
    r"|begin|end|tag\*?|label|color|ce|pu|boxed(?=\{[^\\^_{}$&#%=+*<>]*\}))\s*"
    r"\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\\[A-Za-z]+\*?|\\.",
    re.DOTALL,
)
# Two words, of which one has three letters; a differential is none.
RUN_TOGETHER = re.compile(
    r"[^\W\d_]{3,}[,.;:]?\s+(?!d[a-z]\b)[^\W\d_]{2,}|[^\W\d_]{2,}[,.;:]?\s+[^\W\d_]{3,}"
)
SUFFIX = re.compile(r"(?:th|st|nd|rd|s|es|fold)(?![A-Za-z0-9])")
CURRENCY = re.compile(r"[€£¥₹₩]|[\s(][A-Z]{1,3}$")
PRICE_WORD = re.compile(r"(?:^|[\s(,/])[A-Za-z]{2,}")
ATTACHED = re.compile(r"\\[A-Za-z,]|[\^_][\w{\\]|\{\}[\^_]")
LONE_WORD = re.compile(r"[ \t]+[A-Za-z]{2,}[ \t]+")  # "from $$ to $$$"
NOTE_OR_NUMBER = re.compile(r"[\d\s.,–-]*|[^\W\d_]{3,}")


def has_words_run_together(tex: str) -> bool:
    """Whether TeX would print two words of this as one."""
    return RUN_TOGETHER.search(COMMAND.sub("{}", tex)) is not None


def find_dollar(text: str, start: int, end: int) -> int:
    """The end of the formula whose first character is at `start`; -1 if there is none.

    A dollar within braces, as in `\\text{if $x$}`, belongs to the formula.
    """
    depth = 0
    for piece in FORMULA_TOKEN.finditer(text, start, min(end, start + MAX_SOURCE)):
        if piece[0] == "$" and depth == 0:
            return piece.start()
        depth += {"{": 1, "}": -1}.get(piece[0], 0)
        if depth < 0:
            return -1
    return -1


def find_brace(text: str, start: int, end: int) -> int:
    """The end of the group that opens with the brace at `start`; -1 if there is none."""
    depth = 0
    for piece in BRACE_TOKEN.finditer(text, start, min(end, start + MAX_SOURCE)):
        depth += {"{": 1, "}": -1}.get(piece[0], 0)
        if depth == 0:
            return piece.start()
    return -1


def find_end(text: str, name: str, start: int, end: int) -> int:
    """The end of the environment of this name whose content starts at `start`; -1 if none."""
    depth = 1
    edge = re.compile(rf"\\(begin|end)\{{{re.escape(name)}\}}")
    for found in edge.finditer(text, start, min(end, start + MAX_SOURCE)):
        depth += 1 if found[1] == "begin" else -1
        if depth == 0:
            return found.end()
    return -1


def is_dollar_formula(tex: str, before: str, after: str) -> bool:
    """Whether the text between two dollars is a formula rather than prices or variables."""
    body = tex.strip()
    if not body or "`" in tex or "\n\n" in tex or body[0] in ")]},.;:!?":
        return False
    has_command = re.search(r"\\[A-Za-z]", tex) is not None
    if body[-1] in "([/" and not has_command:
        return False
    if body != tex:
        is_apart = tex[0].isspace() and tex[-1].isspace()
        if not is_apart or not (MATH_SIGN.search(tex) or len(body) == 1) or _is_word(before):
            return False
    if not _may_touch(tex, before, after):
        return False
    if has_command:
        return True
    return _is_balanced(tex) and not _is_price(body) and not has_words_run_together(tex)


def is_bracket_formula(tex: str, *, is_line: bool) -> bool:
    r"""Whether the text between `$$`, `\(…\)` or `\[…\]` is a formula.

    In running text it may be brackets escaped for Markdown: `\[1\]`, `\[sic\]`, `\(see below\)`.
    """
    if not re.search(r"\w|\\", tex) or tex[0] == "$" or LONE_WORD.fullmatch(tex):
        return False
    if has_words_run_together(tex):
        return MATH_SIGN.search(tex) is not None
    return is_line or not NOTE_OR_NUMBER.fullmatch(tex.strip())


def _is_word(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "_")


def _may_touch(tex: str, before: str, after: str) -> bool:
    r"""Whether adjacent letters are plausible: `H$_2$O`, `2$\times$3`, `$n$th`, not `$A/$B`."""
    is_glued = ATTACHED.match(tex) is not None and tex[-1] not in "./:,;-"
    if _is_word(before) and not is_glued:
        return False
    if after.startswith("{"):
        return False
    return not _is_word(after[:1]) or is_glued or SUFFIX.match(after) is not None


def _is_balanced(tex: str) -> bool:
    return sum(map(tex.count, "([")) == sum(map(tex.count, ")]"))


def _is_price(tex: str) -> bool:
    """Whether this continues like an amount: `20 (USD`, `5k/yr, A`."""
    if not tex[0].isdigit():
        return False
    if CURRENCY.search(tex):
        return True
    return not MATH_SIGN.search(tex) and PRICE_WORD.search(tex) is not None

r"""What is a formula and what is not; what becomes of it is seen in `tests/browser`."""

import re
from html import unescape

import pytest

from arena.markup import render_markdown

FORMULA = re.compile(r'<code class="(math(?:-source)?)" dir="ltr">(.*?)</code>', re.DOTALL)


def formulas(text: str) -> list[tuple[str, str]]:
    """The class and the source of each formula."""
    return [(kind, unescape(source)) for kind, source in FORMULA.findall(render_markdown(text))]


@pytest.mark.parametrize(
    "formula",
    [
        "$x$",
        "$ x^2 $",
        "$20$",
        "$3x + 2 = 8$",
        "$[0, 1)$",
        r"$x \in [0, \infty[$",
        r"$\text{if $x$ then}$",
        r"$\boxed{42}$",
        "$$x$$",
        "$$\nx\n\ny\n$$",
        r"\(x\)",
        r"\[ x \]",
        "\\[\nx\n- y\n= z\n# w\n\\]",
        "\\begin{align*}\na &= b \\\\[2pt]\n- c &= d\n\\end{align*}",
        "\\begin{cases}\na\\\\\n\\begin{cases}b\\end{cases}\n\\end{cases}",
        r"\boxed{\frac{1}{2}}",
        r"\ce{H2O}",
        r"\pu{5 m/s}",
    ],
)
def test_this_is_a_formula(formula: str) -> None:
    for text in (formula, f"- {formula.replace(chr(10), chr(10) + '  ')}", f"so {formula}, thus"):
        found = formulas(text)
        assert [kind for kind, _source in found] == ["math"], text
        assert "".join(found[0][1].split()) == "".join(formula.split())


@pytest.mark.parametrize(
    "text",
    [
        "It costs $20 (USD$).",
        "It costs $5 and $10.",
        "US$ 5 to $6",
        "$5/€4 or A$",
        "$20 USD or $18",
        "from $5k to $6k (CA$7k)",
        "$HOME/$USER and ${A}/${B} and $A:$B",
        "foreach ($list as $key => $value)",
        "$1,$2 and $a.$b",
        "from $$ to $$$",
        "Earn $$$ fast! $$$",
        "($1,000)/($2,000) or $3.50/lb",
        "in $, not in €; $ is it",
        r"\$x\$",
        r"a \( b",
        "`$x$`",
        "    $x$",
        "```\n$$x$$\n```",
        r"see \[1\], \[sic\] and \(see below\)",
        "$ a lot of money $",
        r"the command \boxed{}",
        r"\begin{itemize}\item a\end{itemize}",
        "$$",
        "$",
    ],
)
def test_this_is_no_formula(text: str) -> None:
    assert formulas(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the $n$th and H$_2$O and 2$\\times$3", ["$n$", "$_2$", "$\\times$"]),
        ("$5, so $x = 5$ and $y$", ["$x = 5$", "$y$"]),
        ("| $|x|$ | $\\|y\\|$ |\n|---|---|\n| $5 | $6 |", ["$|x|$", "$\\|y\\|$"]),
        ("So \\[\nx\n- y\n\\] and $z$", ["\\[\nx\n- y\n\\]", "$z$"]),
        ("- a \\[\n  x\n  - y\n  \\]\n- $b$", ["\\[\nx\n- y\n\\]", "$b$"]),
        ("**So** \\[\nx\n- y\n\\]", ["\\[\nx\n- y\n\\]"]),
        ("> $$\n> x\n> $$", ["$$\nx\n$$"]),
        ("so $x$是 and 是$y$", ["$x$", "$y$"]),
    ],
)
def test_formulas_within_other_text(text: str, found: list[str]) -> None:
    assert [source for _kind, source in formulas(text)] == found


def test_a_price_after_a_formula_is_a_price() -> None:
    assert "costs $5." in render_markdown("$x$ costs $5.")


@pytest.mark.parametrize(
    "formula",
    [
        r"\[ Area of circle = \pi r^2 \]",
        r"$\frac{Distance travelled}{Time taken}$",
        "\\begin{tabular}{c}\na \\\\\nb\n\\end{tabular}",
        r"\[" + r"\alpha+" * 600 + r"x\]",
    ],
)
def test_what_would_be_misread_stays_source(formula: str) -> None:
    assert formulas(formula) == [("math-source", formula)]


def test_formulas_have_a_budget_for_each_text() -> None:
    kinds = [kind for kind, _source in formulas("$" + "x+" * 900 + "x$\n\n" + "$y$ " * 10_000)]
    assert kinds[0] == "math"
    assert kinds[-1] == "math-source"
    assert formulas("$y$") == [("math", "$y$")]
    chemistry = [kind for kind, _source in formulas(r"\ce{H2O + H2O} " * 1000)]
    assert 300 < chemistry.count("math") < 400


def test_markup_in_formulas_is_text() -> None:
    assert formulas(r"$\text{<b>&lt;i&gt;} < 1$") == [("math", r"$\text{<b>&lt;i&gt;} < 1$")]
    assert formulas("$$\na_1 *b* _c_ d_2\n$$") == [("math", "$$\na_1 *b* _c_ d_2\n$$")]


def test_code_in_tables_keeps_its_bars() -> None:
    html = render_markdown("| a | b |\n|---|---|\n| `x|y` | `p\\|q` |\n| $5 | $6 |\n| ` | ` |")
    assert '<td><code dir="ltr">x|y</code></td>\n<td><code dir="ltr">p|q</code></td>' in html
    assert "<td>$5</td>\n<td>$6</td>" in html
    assert "<td>`</td>\n<td>`</td>" in html
    assert "x|y $a|" in render_markdown("x|y $a|")

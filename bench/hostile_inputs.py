"""Twelve files that cost whoever reads or shows them far more than whoever wrote them, and one
that does not.

The first two of the twelve once stopped a site: a page of the one took 50 s to render, and two of
the other kept every worker from sealing and computing for minutes.
"""

import gzip
import json
from collections.abc import Callable, Iterable
from hashlib import sha512
from pathlib import Path

MEGABYTE = 1_000_000
# What a row may hold, with some room for what stands around the texts.
ROOM = 1_900_000
CSV_HEADER = b"prompt,model_a,response_a,model_b,response_b\n"


def write_harmless(folder: Path, _share: float) -> list[Path]:
    """What the same pages cost where nothing is wrong, for comparison."""
    return [write_record(folder / "harmless.jsonl", "Why?", "Because.", "So that it is.")]


def write_images(folder: Path, _share: float) -> list[Path]:
    """Eighteen turns that each look like the beginning of fifty thousand images."""
    turns = [{"role": "user", "content": "![" * 49_999} for _ in range(18)]
    return [write_record(folder / "images.jsonl", turns, "Yes.", "No.")]


def write_braces(folder: Path, share: float) -> list[Path]:
    """Two small archives of a hundred million objects that say nothing."""
    block = b"{}\n" * 100_000
    blocks = [block] * int(1_000 * share)
    return [pack(folder / f"braces-{number}.jsonl.gz", blocks) for number in (1, 2)]


def write_latex(folder: Path, _share: float) -> list[Path]:
    """Fractions in fractions, many small formulas, and definitions that double."""
    nested = r"\frac{1}{" * 25_000 + "x" + "}" * 25_000
    doubling = "".join(rf"\def\m{n}{{\m{n - 1}\m{n - 1}}}" for n in range(1, 2_000))
    texts = [f"$${nested}$$", r"$\sqrt{x_{1}^{2}}$ " * 30_000, f"$${doubling}$$" + "$" * 300_000]
    return [write_record(folder / "latex.jsonl", *texts)]


def write_tables(folder: Path, _share: float) -> list[Path]:
    """A table of many columns, one of many rows, and one that only begins."""
    wide = "|a" * 100_000 + "|\n" + "|-" * 100_000 + "|\n"
    tall = "|a|b|\n|-|-|\n" + "|x|y|\n" * 80_000
    return [write_record(folder / "tables.jsonl", wide, tall, "|-" * 200_000)]


def write_code(folder: Path, _share: float) -> list[Path]:
    """Code in which every mark opens something that is never closed."""
    texts = [
        "```python\n" + "f'{" * 150_000,
        "```javascript\n" + "`${/[" * 100_000,
        "```perl\n" + "s{{(" * 100_000,
    ]
    return [write_record(folder / "code.jsonl", *texts)]


def write_quotes(folder: Path, _share: float) -> list[Path]:
    """Quotations in quotations, lists in lists, and brackets in brackets."""
    texts = [">" * 500_000 + " Why?", "- " * 250_000 + "x", "[" * 200_000 + "](" * 200_000]
    return [write_record(folder / "quotes.jsonl", *texts)]


def write_entities(folder: Path, _share: float) -> list[Path]:
    """Characters that take six times their place on a page, and references to them."""
    texts = ["&" * 500_000, "'<" * 300_000, "&#x26;&amp;" * 50_000]
    return [write_record(folder / "entities.jsonl", *texts)]


def write_line(folder: Path, _share: float) -> list[Path]:
    """One line of a megabyte, and beside it emphasis without an end."""
    return [write_record(folder / "line.jsonl", "x" * MEGABYTE, "*_" * 200_000, "a**b_" * 80_000)]


def write_ratio(folder: Path, share: float) -> list[Path]:
    """A gigabyte in a megabyte, and thousands of good records that pack nearly as well."""
    endless = [b'{"prompt": "', *[b"x" * MEGABYTE] * int(1_000 * share)]
    good = (
        describe_record(
            sha512(b"%d" % number).hexdigest(), "Because. " * 1_500, "So. " * 1_500
        ).encode()
        for number in range(int(3_000 * share))
    )
    bomb = pack(folder / "ratio-1.jsonl.gz", endless)
    return [bomb, pack(folder / "ratio-2.jsonl.gz", good)]


def write_header(folder: Path, share: float) -> list[Path]:
    """A header without an end."""
    numbers = range(int(5_000_000 * share))
    names = (
        b"".join(b"column-%d," % n for n in numbers[i : i + 10_000]) for i in numbers[::10_000]
    )
    return [pack(folder / "header.csv.gz", [b"prompt,", *names])]


def write_commas(folder: Path, share: float) -> list[Path]:
    """Rows of a million commas, under a good header and as one."""
    rows = [b"," * MEGABYTE + b"\n"] * int(150 * share)
    return [
        write_lines(folder / "commas-1.csv", [CSV_HEADER, *rows]),
        write_lines(folder / "commas-2.csv", rows),
    ]


def write_json(folder: Path, share: float) -> list[Path]:
    """Depth, numbers without an end, NUL, half characters, and ninety thousand keys."""
    keys = ", ".join(f'"k{n}": {n}' for n in range(90_000))
    kinds = [
        b'{"prompt": ' + b"[" * MEGABYTE,
        b'{"prompt": ' + b'{"a": ' * 200_000 + b"1" + b"}" * 200_001,
        b'{"prompt": ' + b"9" * MEGABYTE + b"}",
        b'{"prompt": "' + b"\x00" * MEGABYTE + b'"}',
        b'{"prompt": "' + rb"\ud800" * 150_000 + b'"}',
        b'{"prompt": "' + b"\xff" * MEGABYTE + b'"}',
        f"{{{keys}}}".encode(),
        b'{"prompt": "Why?", "responses": {' + b'"a": "", ' * 100_000 + b'"b": ""}}',
    ]
    lines = [line + b"\n" for line in kinds] * int(10 * share)
    return [write_lines(folder / "json.jsonl", lines)]


# Each writes its files at a share of the full size; an account of its own uploads each of them.
INPUTS: dict[str, Callable[[Path, float], list[Path]]] = {
    "harmless": write_harmless,
    "images": write_images,
    "braces": write_braces,
    "latex": write_latex,
    "tables": write_tables,
    "code": write_code,
    "quotes": write_quotes,
    "entities": write_entities,
    "line": write_line,
    "ratio": write_ratio,
    "header": write_header,
    "commas": write_commas,
    "json": write_json,
}


def describe_record(prompt: object, first: str, second: str) -> str:
    """A line of two responses."""
    row = {"prompt": prompt, "responses": {"Aspen": first, "Birch": second}}
    line = json.dumps(row) + "\n"
    assert len(line) < ROOM + 100_000, "a row that long would not be read at all"
    return line


def write_record(path: Path, prompt: object, first: str, second: str) -> Path:
    """A file of one record."""
    path.write_text(describe_record(prompt, first, second))
    return path


def write_lines(path: Path, lines: Iterable[bytes]) -> Path:
    with path.open("wb") as file:
        file.writelines(lines)
    return path


def pack(path: Path, blocks: Iterable[bytes]) -> Path:
    """These bytes as a gzip archive."""
    with gzip.open(path, "wb", compresslevel=9) as file:
        for block in blocks:
            file.write(block)
    return path

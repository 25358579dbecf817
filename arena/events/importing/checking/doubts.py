"""Doubts: what is valid in a file and was probably meant otherwise.

Each kind has a sentence that a person confirms before anything is imported. The checks here look
at one record; what only a whole file can show is looked for where the file is read.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from django.utils.translation import gettext_lazy as _

from arena.events.importing.checking.checks import Doubt
from arena.events.importing.checking.leaks import find_leak
from arena.events.importing.reading.records import KEYED_RESPONSES, RecordRow

# What a person confirms, by kind.
DOUBT_KINDS = {
    "empty_response": _("Empty responses: the model is left out of these records"),
    "blank_response": _("Texts that are empty: shown as an empty response"),
    "only_response": _("Records of one response: nobody can judge them"),
    "same_responses": _("Identical responses"),
    "leak": _("Responses that reveal their model"),
    "missing_word": _("Words that may mean a missing value: taken as text"),
    "serialised": _("Lists or objects written as text: shown as they are"),
    "truncated": _("Texts as long as a spreadsheet cell can be: possibly cut off"),
    "mojibake": _("Texts whose letters were garbled by a wrong encoding"),
    "escaped": _("Texts with escape codes instead of characters"),
    "spreadsheet": _("Names or identifiers that a spreadsheet seems to have changed"),
    "alike": _("Model names that differ only in case, spaces or hyphens: counted separately"),
    "no_responses": _("Models without any response"),
    "categories": _("Several categories in one value: taken as one category"),
    "header": _("Rows that look like a second header: imported as records"),
    "short_row": _("Rows with fewer cells than the header"),
    "nameless": _("Columns without a name are left out"),
    "repeated": _("Rows that repeat an earlier one: imported once"),
    "other_metadata": _("Rows of one record whose metadata differ: the first row’s is kept"),
    "votes": _("Verdicts among the records: kept as metadata, not counted as votes"),
}
# Written for a value that is not there, by programs and by people.
MISSING_WORDS = frozenset(
    """
    nan -nan none null nil n/a n.a. #n/a na <na> nat undefined missing #null! #value! #ref! #name?
    #div/0! #num! 1.#qnan [] {} - --
    """.split()  # noqa: SIM905 - easier to read than a list of quotes
)
# A list of texts, messages or parts of content, as JSON or as Python prints it.
SERIALISED = re.compile(
    r"""\s*(?:\[\s*['"]|\[?\s*\{\s*['"](?:role|content|type|text|from|value|message|answer|response"""
    r"""|output|choices)['"]\s*:|array\(\[|<\w[\w.]* object at 0x)"""
)
# Who is asked for data answers with data.
ASKS_FOR_DATA = re.compile(r"json|array|\blists?\b|python|yaml|code|dict|javascript", re.IGNORECASE)
# Characters in the longest cell of Excel and of Google's sheets.
LONGEST_CELLS = frozenset({32_767, 50_000})
MOJIBAKE = re.compile(
    "\ufffd|[ÃÂ][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œžŸ]|â€|ï»¿|Ð[°±²³´µ¸¾][Ñ Ð]|ã€|ä¸"
)
ENTITY = re.compile(r"&(?:amp|quot|apos|nbsp|#39|#x27|#34);")
NEWLINE = re.compile(r"(?<!\\)\\n(?![a-z])")
SPREADSHEET = re.compile(
    r"""\d(?:[.,]\d+)?E\+?\d{1,3}                    # 1.2E+05
    |\d{1,2}[-. ](?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|M(?:rz|är|ai)|Okt|Dez)[a-z]*
     (?:[-. ]\d{2,4})?
    |(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Okt|Dez)[-. ]\d{2,4}
    |\d{1,2}[/.]\d{1,2}[/.](?:\d{4}|\d{2})""",
    re.VERBOSE,
)
MAX_EXCERPT = 60


def find_doubts(row: RecordRow, organizations: Mapping[str, str]) -> Iterator[Doubt]:
    """What is doubtful about a record, as far as it can be told from the record alone."""
    yield from find_name_doubts(row.external_id, "external_id")
    for index, turn in enumerate(row.prompt):
        field = "prompt" if len(row.prompt) == 1 else f"prompt[{index}].content"
        yield from find_text_doubts(turn["content"], field)
    yield from find_response_doubts(row, organizations)


def find_response_doubts(row: RecordRow, organizations: Mapping[str, str]) -> Iterator[Doubt]:
    """What is doubtful about a record's responses."""
    first: dict[str, str] = {}
    asks_for_data = any(ASKS_FOR_DATA.search(turn["content"]) for turn in row.prompt)
    for index, response in enumerate(row.responses):
        model, text = response.model, response.text
        field = f"responses.{model}" if model else f"responses[{index}].text"
        if model:
            yield from find_name_doubts(model, f"responses[{index}].model")
        if not text.strip():
            yield Doubt("blank_response", field, "is empty; people will see an empty response")
            continue
        for doubt in find_text_doubts(text, field):
            if doubt.kind != "serialised" or not asks_for_data:
                yield doubt
        if model and (found := find_leak(text, model, organizations.get(model, ""))):
            yield Doubt("leak", field, f"gives its model away: “{found}”")
        seen = text.strip()
        if seen in first and (row.control is None or index >= KEYED_RESPONSES):
            other = f"that of {first[seen]}" if first[seen] else "the other"
            yield Doubt("same_responses", field, f"is the same as {other}: {quote_beginning(text)}")
        first.setdefault(seen, model or "")


def find_text_doubts(text: str, field: str) -> Iterator[Doubt]:
    """Doubts about a prompt or a response: missing, cut off, garbled or escaped text."""
    if len(text) < 10 and text.strip().casefold() in MISSING_WORDS:
        yield Doubt("missing_word", field, f"says “{text.strip()}”, as if a value were missing")
    if len(text) in LONGEST_CELLS:
        message = f"has {len(text):,} characters, as many as a spreadsheet's cell can hold"
        yield Doubt("truncated", field, message)
    if SERIALISED.match(text):
        message = f"looks like data written as text, and is kept as text: {quote_beginning(text)}"
        yield Doubt("serialised", field, message)
    if not text.isascii() and (found := MOJIBAKE.search(text)):
        near = text[max(found.start() - 15, 0) : found.end() + 15]
        yield Doubt(
            "mojibake", field, f"holds letters garbled by a wrong encoding: {quote_beginning(near)}"
        )
    if ("&" in text or "\\n" in text) and (word := find_escape(text)):
        yield Doubt("escaped", field, f"holds “{word}” instead of the character")


def find_escape(text: str) -> str:
    """An escape that was left standing; none in texts that are about code or HTML."""
    if "`" in text or "</" in text or "html" in text.casefold():
        return ""
    if found := ENTITY.search(text):
        return found[0]
    return "\\n" if "\n" not in text and len(NEWLINE.findall(text)) > 1 else ""


def find_name_doubts(name: str, field: str) -> Iterator[Doubt]:
    """Doubts about a name or identifier: changed by a spreadsheet, or a word for a missing
    value."""
    if name.casefold() in MISSING_WORDS:
        yield Doubt("missing_word", field, f"says “{name}”, as if a value were missing")
    elif SPREADSHEET.fullmatch(name):
        message = f"“{name}” looks like a date or number that a spreadsheet has made of it"
        yield Doubt("spreadsheet", field, message)


def group_alike(names: Iterable[str]) -> list[list[str]]:
    """Names that differ by case, blanks, hyphens and other signs alone, but for points between
    digits: "GPT-4" and "gpt 4" are alike, 3.5 and 35 are not."""
    groups: dict[str, list[str]] = {}
    for name in names:
        folded = unicodedata.normalize("NFKC", name).casefold()
        folded = re.sub(r"(?<=\d)[.,](?=\d)", "\0", folded)
        groups.setdefault(re.sub(r"[^\w\0+]+|_+", "", folded), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def quote_beginning(text: str) -> str:
    """The beginning of a text, on one line, in quotation marks."""
    text = " ".join(text[: 2 * MAX_EXCERPT].split())
    return f"“{text if len(text) <= MAX_EXCERPT else text[: MAX_EXCERPT - 1] + '…'}”"

"""What other projects call the columns of records, and columns of theirs that we do not read."""

from arena.events.importing.checking.checks import fold_column

# Names that other projects give to what we call otherwise.
COLUMN_ALIASES = {
    "external_id": (
        *("id", "uid", "uuid", "prompt_id", "record_id", "question_id", "idx", "index"),
        *("custom_id", "row_id", "item_id", "example_id"),
    ),
    "prompt": (
        *("instruction", "question", "input", "query", "text", "messages", "conversation"),
        *("context", "prompt_text", "user_prompt", "task"),
    ),
    "categories": ("category", "tags", "topic", "topics", "subject", "type", "domain"),
    "responses": ("outputs", "answers", "completions", "generations"),
    "metadata": ("meta",),
    "control": ("gold", "key"),
    "expected": ("gold", "expected_answer"),
    "reason": ("explanation",),
    "model": ("generator", "model_name", "model_id", "competitor"),
    "response": ("output", "answer", "completion", "generation"),
    **{
        f"model_{letter}": tuple(
            word.replace("?", sign)
            for sign in (letter, number)
            for word in ("model_?", "model?", "model ?", "generator_?", "name_?", "model_name_?")
        )
        for letter, number in (("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"))
    },
    **{
        f"response_{letter}": tuple(
            word.replace("?", sign)
            for sign in (letter, number)
            for word in (
                *("response_?", "response?", "response ?", "output_?", "output?", "answer_?"),
                *("answer?", "answer ?", "text_?", "completion_?", "conversation_?"),
            )
        )
        for letter, number in (("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"))
    },
}
# Kept as metadata without a word: everybody knows what they are.
COMMON_METADATA = frozenset(
    """
    system language lang score source dataset domain difficulty turn judge split license tstamp
    timestamp date created_at author annotator notes comment version seed temperature
    """.split()  # noqa: SIM905 - easier to read than a list of quotes
)
# What other projects call a vote; a record has none.
VERDICT_COLUMNS = frozenset(
    """
    winner winner_model_a winner_model_b winner_tie preference overall_preference
    individual_preference vote votes verdict chosen rejected label outcome judgment judgement
    """.split()  # noqa: SIM905
)


def resolve_alias(column: str) -> str:
    """What others mean by this name; empty where it is none of theirs."""
    name = fold_column(column)
    return next(
        (target for target, names in COLUMN_ALIASES.items() if name in map(fold_column, names)), ""
    )

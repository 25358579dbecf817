"""How an answer was given, as the judging page sums it up: seven small numbers, never content.

The page (`arena/static/js/behaviour.js`) rounds each number down to one of sixteen steps and writes
it as one hexadecimal digit, so that every summary has the same size and says little.
"""

import re
from dataclasses import dataclass

# What the sixteen digits stand for: each is "this many or more", up to the next.
COUNT_STEPS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192)
SECOND_STEPS = (0, 1, 2, 3, 5, 8, 12, 20, 30, 45, 60, 90, 120, 180, 300, 600)
CODE_LENGTH = 7
CODE = re.compile(rf"[0-9a-f]{{{CODE_LENGTH}}}")


@dataclass(frozen=True)
class Behaviour:
    """What one answer's summary says; counts and seconds are the lower ends of their steps."""

    keys: int
    pointers: int
    pastes: int
    # How often the page lost the focus, and for how long it was hidden.
    focus_losses: int
    hidden_seconds: int
    # From the matchup's appearance to the first key or pointer event, and to the submission.
    first_seconds: int
    total_seconds: int


def check_code(posted: str) -> str | None:
    """The summary as it was posted; None for an empty one and for anything else.

    What is no summary is dropped and not refused: it is no answer of the person's.
    """
    return posted if CODE.fullmatch(posted) else None


def read_code(code: str) -> Behaviour:
    """The numbers of a summary that `check_code` let pass."""
    levels = [int(digit, 16) for digit in code]
    return Behaviour(
        *(COUNT_STEPS[level] for level in levels[:4]),
        *(SECOND_STEPS[level] for level in levels[4:]),
    )

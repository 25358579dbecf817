"""Every page in every state of an event: no sentence that is not true at that moment.

`pytest tests/states --sentences FILE` writes every sentence of every state to a file, to be read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from django.utils import timezone

from tests.states.scenes import (
    AHEAD,
    CLOSED,
    DRAFTS,
    OPEN,
    OVER,
    PAST,
    PUBLISHED,
    TIMES,
    Scene,
    Sight,
    sentences_of,
    set_scene,
    sights_of,
    sights_under_pressure,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
EVERYWHERE = set(TIMES)


def anywhere(scene: Scene, sight: Sight) -> bool:
    """On every page."""
    return True


def bare(scene: Scene, sight: Sight) -> bool:
    """In an event without seats, prize, controls and judgments."""
    return not scene.full


def bare_and_public(scene: Scene, sight: Sight) -> bool:
    """The same, on pages for everybody."""
    return not scene.full and not sight.is_desk


def full(scene: Scene, sight: Sight) -> bool:
    """In an event with all of them."""
    return scene.full


def judged(scene: Scene, sight: Sight) -> bool:
    """In an event that people have judged in."""
    return scene.excluded is not None


def for_reviewers(scene: Scene, sight: Sight) -> bool:
    """For people who look after the event."""
    return sight.who in ("reviewer", "organizer")


def without_a_place(scene: Scene, sight: Sight) -> bool:
    """For somebody without an account, where no seat is free."""
    return not scene.full and sight.who == "visitor"


def for_visitors(scene: Scene, sight: Sight) -> bool:
    """For people without an account."""
    return sight.who in ("visitor", "waiting")


@dataclass(frozen=True)
class Untrue:
    """Words that must not be read in some states; `example` is a sentence that they are in."""

    words: str
    states: set[str]
    example: str
    where: Callable[[Scene, Sight], bool] = anywhere


RULES = [
    # --- what one can do ------------------------------------------------------------------------
    Untrue("Continue judging", EVERYWHERE - OPEN, "Continue judging"),
    Untrue("[Ss]tart judging", EVERYWHERE - OPEN, "Accept and start judging"),
    Untrue("[Ss]tart judging|Accept and", EVERYWHERE, "Start judging", without_a_place),
    Untrue("Judge: |Join: ", PAST | DRAFTS, "Judge: Tea"),
    Untrue("Judge: |Join: ", EVERYWHERE, "Join: Tea", for_reviewers),
    Untrue(
        "Answer the matchup on your screen",
        EVERYWHERE - {"grace"},
        "Answer the matchup on your screen",
    ),
    Untrue("Accept and join", EVERYWHERE - {"scheduled"} - OPEN, "Accept and join"),
    Untrue("Open the event", EVERYWHERE - DRAFTS, "Open the event"),
    Untrue("Close the event now", PAST | DRAFTS, "Close the event now"),
    Untrue("Publish the result", EVERYWHERE - CLOSED, "Publish the result"),
    Untrue("Publish the correction", EVERYWHERE - {"corrected"}, "Publish the correction"),
    Untrue("Name of the round", OVER | AHEAD, "Name of the round Seal"),
    Untrue("Add open seats Taken|Create and download", PAST, "Create and download the sheet"),
    Untrue("gives them a seat", PAST, "One click on the event page gives them a seat"),
    Untrue("Message to everyone who judges", OVER, "Message to everyone who judges"),
    Untrue(
        "in line|[Ww]aiting list",
        EVERYWHERE - {"scheduled"} - OPEN,
        "You are number 1 in line.",
        for_visitors,
    ),
    Untrue("A short pause", EVERYWHERE - OPEN, "A short pause"),
    # --- when -----------------------------------------------------------------------------------
    Untrue(r"\bCloses\b", PAST | DRAFTS, "Closes 3 Dec"),
    Untrue(r"\bClosed\b", AHEAD | OPEN, "Closed 20 Dec"),
    Untrue(r"\bClosed (Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b", {"closed before it opened"}, "Closed Mon"),
    Untrue(r"Opens soon|Opening soon|\bOpens (?!at)", EVERYWHERE - {"scheduled"}, "Opens Mon 3"),
    Untrue("Closes in 0", EVERYWHERE, "Closes in 0 minutes"),
    Untrue(
        "The deadline has passed",
        EVERYWHERE - {"grace", "draft, deadline passed"},
        "The deadline has passed.",
    ),
    Untrue("has not begun|not been opened|begins when", PAST | OPEN, "Judging has not begun yet"),
    Untrue("Judging has (closed|ended)", EVERYWHERE - PAST, "Judging has closed"),
    Untrue("[Rr]anks frozen", EVERYWHERE - {"frozen"}, "Ranks frozen"),
    Untrue("Ranks are frozen", EVERYWHERE - {"frozen", "grace"}, "Ranks are frozen until noon"),
    Untrue("While the event runs", OVER, "While the event runs only the number is live."),
    Untrue(r"(?<!confirmed )\byet\b", OVER - {"ended"}, "Nothing judged yet."),
    Untrue(r"\bwill (be|follow|appear)\b(?! waiting)", PUBLISHED, "The scores will be shown."),
    # --- what happens ---------------------------------------------------------------------------
    Untrue("Being judged now", AHEAD | OVER, "Being judged now 17"),
    Untrue("[Jj]udging continues", EVERYWHERE - OPEN, "It is kept permanently. Judging continues."),
    Untrue(
        "at this pace|almost nobody is judging",
        EVERYWHERE - OPEN,
        "separated by then, at this pace",
    ),
    Untrue(
        "more votes? of the same mix(?! would have)", OVER, "about 40 more votes of the same mix"
    ),
    Untrue("more wanted", OVER, "3 more wanted"),
    Untrue(
        "within seconds|few seconds",
        EVERYWHERE - {"open", "open without a deadline"} - AHEAD,
        "Boards update within seconds.",
    ),
    Untrue(
        "pdates? automatically|follows? by itself", OVER | AHEAD, "Open pages update automatically."
    ),
    Untrue("provisional (result|until)", EVERYWHERE - CLOSED, "See the provisional result"),
    Untrue("See the result|published result", EVERYWHERE - PUBLISHED, "See the result"),
    Untrue(r"Provisionally first", EVERYWHERE - CLOSED, "Provisionally first: Ash"),
    Untrue("on the screen may answer", AHEAD | PAST, "Who has it on the screen may answer it"),
    Untrue("judgments to be rated", PAST, "You need about 150 judgments to be rated."),
    Untrue("still running", DRAFTS | PAST, "The event is still running."),
    Untrue("What to expect|As planned", PAST, "What to expect: Judgments wanted 18"),
    # --- what there is --------------------------------------------------------------------------
    Untrue(r"\b0 of 0\b", EVERYWHERE, "Controls as expected 0 of 0"),
    Untrue("Needed Import records", EVERYWHERE, "Needed Import records with responses."),
    Untrue(
        "Open For .{0,120}Created 0", EVERYWHERE, "Open For visitors: one click. Created 0", full
    ),
    Untrue(
        "Nobody has judged|No contributors yet|nothing to publish",
        EVERYWHERE,
        "No contributors yet",
        judged,
    ),
    Untrue("No ranking", EVERYWHERE, "No ranking yet", judged),
    Untrue("Nobody has joined", EVERYWHERE, "Nobody has joined.", judged),
    Untrue("No event is open", OPEN, "No event is open right now."),
    Untrue(
        "result was published",
        EVERYWHERE - PUBLISHED - {"corrected"},
        "Something has changed since the result was published",
        judged,
    ),
    Untrue(
        "[Aa]mong the pairs are controls|measured on controls|control κ",
        EVERYWHERE,
        "Quality is measured on controls",
        bare_and_public,
    ),
    Untrue("Nobody is told which", EVERYWHERE, "Nobody is told which.", bare_and_public),
    Untrue("With a prize|Prize", EVERYWHERE, "With a prize", bare_and_public),
    # --- promises that nothing keeps ------------------------------------------------------------
    Untrue("The time for appeals", EVERYWHERE, "The time for appeals has passed."),
    Untrue(
        "You can appeal until the result is published",
        PUBLISHED,
        "You can appeal until the result is published, and for fourteen days after.",
    ),
    Untrue("cannot be rewritten|unnoticed", EVERYWHERE, "a ledger that cannot be rewritten"),
]
# What a full event says of its state.
SAID = {
    "draft with dates": ["Draft Planned opening", "Deadline"],
    "scheduled": ["Opens soon Opens", "Judging has not begun yet", "Accept and join"],
    "open": ["Open Closes", "Accept and start judging", "Continue judging"],
    "frozen": ["Ranks frozen Closes", "Ranks are frozen until"],
    "grace": ["Closing Closed", "may be answered until", "Answer the matchup on your screen"],
    "closed": ["Closed Closed", "provisional until the organizers publish it"],
    "published": ["Published Closed", "See the result"],
    "corrected": ["Corrected result", "See the result"],
}
MOMENT = re.compile(r'\b(Opens|Closes|Closed)\s*<time\s+datetime="([^"]+)"')


def untrue_in(scene: Scene, sight: Sight, now: datetime) -> list[str]:
    """The rules that a page breaks, and the times on it that lie on the other side of now."""
    found = [
        f"“{around(match)}” on {sight.page} for the {sight.who}"
        for rule in RULES
        if scene.name in rule.states and rule.where(scene, sight)
        for match in [re.search(rule.words, sight.words)]
        if match
    ]
    for word, written in MOMENT.findall(sight.source):
        is_ahead = datetime.fromisoformat(written) > now
        if is_ahead != (word != "Closed"):
            found.append(f"“{word} {written}” on {sight.page} for the {sight.who}")
    return found


def around(match: re.Match[str]) -> str:
    """What was found, with the words beside it."""
    return match.string[max(0, match.start() - 60) : match.end() + 60]


@pytest.mark.parametrize("full", [True, False], ids=["full", "bare"])
@pytest.mark.parametrize("name", TIMES)
def test_pages_say_what_is_true_now_and_nothing_else(
    name: str, full: bool, request: pytest.FixtureRequest
) -> None:
    scene = set_scene(name, full=full)
    seen = list(sights_of(scene))
    read = "\n".join(sight.words for sight in seen)
    assert [each for each in SAID.get(name, ()) if full and each not in read] == []
    seen += sights_under_pressure(scene)
    assert len(seen) > 25
    if target := request.config.getoption("--sentences"):
        write_sentences(Path(target), scene, seen)
    now = timezone.now()
    wrong = [fault for sight in seen for fault in untrue_in(scene, sight, now)]
    assert not wrong, f"{name}:\n" + "\n".join(wrong)


def write_sentences(target: Path, scene: Scene, seen: list[Sight]) -> None:
    """Append what is read in this state and was not written for it before, page by page."""
    known: set[str] = set()
    with target.open("a") as file:
        file.write(f"\n##### {scene.name}, {'full' if scene.full else 'bare'}\n")
        for sight in seen:
            new = [each for each in dict.fromkeys(sentences_of(sight.source)) if each not in known]
            known.update(new)
            file.write(f"\n--- {sight.page}, {sight.who}\n" + "\n".join(new) + "\n")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.example[:40])
def test_each_rule_finds_the_sentence_it_is_against(rule: Untrue) -> None:
    assert re.search(rule.words, rule.example)
    assert rule.states


def test_a_time_on_the_wrong_side_of_now_is_found() -> None:
    scene = set_scene("open", full=False)
    for word, written in (
        ("Closed", "2090-01-01"),
        ("Closes", "2020-01-01"),
        ("Opens", "2020-01-01"),
    ):
        source = f'<span>{word} <time datetime="{written}T00:00:00+00:00">then</time></span>'
        assert untrue_in(scene, Sight("visitor", "home", "", source), timezone.now())


@pytest.mark.parametrize("name", ["open", "open without a deadline", "frozen"])
def test_a_short_event_says_what_one_waits_for(name: str) -> None:
    scene = set_scene(name, full=True)
    waiting, skipper = sights_under_pressure(scene)
    assert "You are number 1 in line." in waiting.words
    assert "A short pause" in skipper.words


def test_an_excluded_contributor_is_counted_nowhere_and_their_evidence_stays() -> None:
    scene = set_scene("closed", full=True)
    pages = {(sight.who, sight.page): sight.words for sight in sights_of(scene)}
    assert "Contributors 2" in pages["visitor", "events:event"]
    assert "by 2 contributors" in pages["visitor", "leaderboard:board"]
    assert re.search(
        r"Contributors 2 \d active, 1 more excluded", pages["reviewer", "desk:overview"]
    )
    assert scene.excluded.pseudonym not in pages["visitor", "leaderboard:contributors"]
    page = pages["reviewer", "desk:contributor"]
    assert re.search(r"Controls Record Expected Answer Outcome .+ (Passed|Missed)", page)

"""Hostile texts wherever people or models can write, on every page of a real browser.

No dialog opens, no script runs, no request leaves, the policy has nothing to block, and what was
written can be read as it was written.
"""

import itertools
from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Page
from pygments.token import STANDARD_TYPES

from arena.events.decision_record import Ruling
from arena.events.models import (
    Category,
    Competitor,
    Event,
    ImportJob,
    Question,
    Terms,
)
from arena.events.rendering import render_records
from arena.judging.ledger import seal_event
from arena.judging.models import Answer, Exclusion
from arena.judging.review.exclusions import exclude
from arena.judging.skipping import flag_assignment
from arena.people.models import User
from leaderboard.snapshots.refresh import refresh_fully
from tests.browser.conftest import NewPage, Watch
from tests.factories import make_enrollment, make_judgment, make_matchup
from tests.security.cast import World, make_world
from tests.security.payloads import ATTACKS, FORMULAS, SCRIPTS
from tests.security.sights import sights

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[..., None]
OpenAs = Callable[[str, str], Page]
TEXT = "\n\n".join([*SCRIPTS, *FORMULAS])
LONG_TEXT = "\n\n".join([*ATTACKS, TEXT])
# Whatever of the texts had become more than text.
ALIVE = """() => [
  ...(window.pwned === undefined ? [] : ["a script ran"]),
  ...[...document.querySelectorAll("body *, head base, head meta[http-equiv]")].filter((each) =>
    each.matches("base, iframe, object, embed, video, audio, style, main img, meta, body link") ||
    each.matches("script:not([src], [type='application/json'])") ||
    [...each.attributes].some(({name, value}) =>
      name.startsWith("on") || (name === "style" && !each.closest(".katex")) || name === "srcdoc" ||
      (/^(href|src|action|formaction|hx-\\w+|xlink:href|data)$/.test(name) &&
       /evil|e\\.invalid|javascript:|data:text/i.test(value) && !each.matches("a[rel~=nofollow]")))
  ).map((each) => each.outerHTML.slice(0, 200)),
]"""
# A line break is a space between words too, which `textContent` does not know.
WORDS = """() => {
  document.querySelectorAll("br").forEach((each) => each.after(" "));
  return document.documentElement.textContent.replace(/\\s+/g, " ");
}"""


def poison(world: World) -> None:
    """Put the texts into everything of the public event that somebody could have written."""
    side, now = world.public, timezone.now()
    event, texts = side.event, itertools.cycle(SCRIPTS)
    Event.objects.filter(pk=event.pk).update(
        title=SCRIPTS[37], summary=SCRIPTS[11], description=TEXT, prize=TEXT, licence=SCRIPTS[0]
    )
    event.guidelines.update(text=LONG_TEXT)
    Terms.objects.filter(event=event).update(
        public_release=TEXT,
        content_warning=TEXT,
        assistance=TEXT,
        prize_rules=TEXT,
        licence=SCRIPTS[0],
    )
    for question in Question.objects.filter(event=event):
        question.title, question.help = next(texts), next(texts)
        question.save()
    event.notes.create(text=TEXT[:500], created_at=now)
    event.snapshots.filter(name__isnull=False).update(name=SCRIPTS[11])
    Answer.objects.update_or_create(
        judgment=side.answered.judgments.get(),
        question=event.questions.get(kind="text"),
        defaults={"value": {"text": TEXT[:2000]}},
    )
    for number, text in enumerate(SCRIPTS):
        Category.objects.create(event=event, slug=f"x{number}", name=text)
        User.objects.create(username=f"contributor-{number}", display_name=text)
        Event.objects.create(slug=f"listed-{number}", title=text, summary=text, state="open")
    fill_the_boards(event)
    User.objects.filter(pk=side.contributor.user_id).update(display_name=SCRIPTS[2])
    reason = Exclusion.Reason.ORGANIZER
    exclude(side.contributor, reason, Ruling(None, now, TEXT))
    for job in event.import_jobs.all():
        wrong = [{"line": 1, "field": text, "message": text} for text in SCRIPTS]
        job.file_name, job.report = SCRIPTS[11], {"errors": wrong, "error_total": len(wrong)}
        job.state = ImportJob.State.REFUSED
        job.save()
    side.matchup.record.prompt = [{"role": text[:20], "content": text} for text in SCRIPTS]
    side.matchup.record.rendered_with = 0
    side.matchup.record.save()
    side.shown.matchup.record.prompt = [{"role": "user", "content": LONG_TEXT}]
    side.shown.matchup.record.rendered_with = 0
    side.shown.matchup.record.save()
    for response in side.shown.matchup.responses.all():
        response.text, response.rendered_with = LONG_TEXT, 0
        response.save()
    render_records([side.matchup.record_id, side.shown.matchup.record_id])
    seal_event(event.pk, now)
    refresh_fully(event, now=now)


def fill_the_boards(event: Event) -> None:
    """Models, contributors, comments, flags and exclusions under each of the texts."""
    now = timezone.now()
    models = [
        Competitor.objects.create(event=event, name=text, organization=text, licence=text)
        for text in SCRIPTS
    ]
    for left, right in itertools.pairwise([*models, models[0]]):
        make_matchup(event, [left, right], texts=(TEXT, "Nothing."))
    for text, user in zip(SCRIPTS, User.objects.filter(display_name__gt=""), strict=False):
        contributor = make_enrollment(event, user)
        judgment = make_judgment(contributor, "a2", comment=text, now=now)
        assert judgment.assignment is not None
        flag_assignment(judgment.assignment, "other", text, now=now)


@pytest.fixture
def world() -> World:
    """The world of the walks, poisoned."""
    world = make_world()
    poison(world)
    return world


@pytest.fixture
def open_as(new_page: NewPage, sign_in: SignIn, world: World) -> OpenAs:
    """Open a path as an actor, each in a browser of their own that opens no dialog."""
    pages: dict[str, Page] = {}

    def open_page(label: str, path: str) -> Page:
        if label not in pages:
            pages[label] = new_page()
            pages[label].on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
            user = world.actor(label).user
            if user is not None:
                sign_in(pages[label], user)
        pages[label].goto(path, wait_until="load")
        return pages[label]

    return open_page


LISTS = {
    "titles on the home page": ("anonymous", ["/"]),
    "models on the board": ("anonymous", ["/events/tea/leaderboard/"]),
    "models head to head": ("anonymous", ["/events/tea/leaderboard/?pairs=all"]),
    "contributors": ("anonymous", ["/events/tea/contributors/"]),
    "flags": ("tea organizer", [f"/events/tea/desk/flags/?page={page}" for page in range(1, 8)]),
    "categories": ("tea organizer", ["/events/tea/desk/records/"]),
}


def test_texts_stay_texts(world: World, open_as: OpenAs, watch: Watch) -> None:
    watch.allow("status of 404 .*/no/such/page/")
    wrong = [*alive(world, open_as, watch), *lost(open_as), *dressed_up(world, open_as)]
    watch.allow(".")  # said here, page by page
    assert not wrong, "\n".join(wrong)


def alive(world: World, open_as: OpenAs, watch: Watch) -> Iterator[str]:
    """What acts on any page."""
    for sight in sights(world):
        before = len(watch.verdict())
        page = open_as(sight.label, sight.path)
        for fault in [*page.evaluate(ALIVE), *watch.verdict()[before:]]:
            yield f"{sight.path} ({sight.label}): {fault}"


def lost(open_as: OpenAs) -> Iterator[str]:
    """What cannot be read where it ought to be."""
    for what, (label, paths) in LISTS.items():
        words = " ".join(open_as(label, path).evaluate(WORDS) for path in paths)
        for text in SCRIPTS:
            if " ".join(text.split()) not in words:
                yield f"{what}: {text!r} is lost"


def dressed_up(world: World, open_as: OpenAs) -> Iterator[str]:
    """What a response has that belongs to the page: forms, buttons, notices, marks."""
    page = open_as("tea contributor", f"/judge/{world.public.shown.uuid}/")
    assert page.locator(".side .prose").count() == 2
    parts = ".side .prose :is(form, button, input, textarea, select, dialog, [id], [role])"
    yield from page.locator(parts).evaluate_all("all => all.map((each) => each.outerHTML)")
    classes = page.locator(".side .prose [class]:not(.formula *)").evaluate_all(
        "all => [...new Set(all.flatMap((each) => [...each.classList]))]"
    )
    yield from set(classes) - {"image", "formula", "math-source", *STANDARD_TYPES.values()}

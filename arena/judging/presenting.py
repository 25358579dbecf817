"""What a contributor sees of an assignment: texts, questions and counts, and nothing else.

Nothing of a control's key gets in: the context is built from the record's prompt, the responses'
texts in display order and the event's questions. Competitors are never loaded.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from arena.events.current_rules import EventRules
from arena.events.models import Enrollment, Question
from arena.judging.models import Assignment, Flag, Judgment
from arena.judging.page_parts import SKIP_REASONS, render_blank_questions, render_questions
from arena.judging.recording import SKIP, get_undo_deadline, is_undoable
from arena.judging.serving.hot_path_sql import MatchupTexts, load_texts
from arena.people.accounts.identity import has_verified_identity
from arena.questions import KINDS, ScaleOption

RESPONSE_LETTERS = "ABCDEFGHI"
# A pause is suggested after every so many judgments.
PAUSE_INTERVAL = 50
# After so many judgments the identity that a prize requires is mentioned, once.
IDENTITY_HINT_AFTER = 10


@dataclass(frozen=True)
class ShownResponse:
    """One response as shown."""

    letter: str
    html: str


@dataclass(frozen=True)
class ShownQuestion:
    """One question as shown, with its preselected or already typed value."""

    name: str
    kind: str
    title: str
    help: str
    required: bool
    options: list[ScaleOption]
    both_bad: bool
    value: str

    @property
    def template(self) -> str:
        """The kind's own template."""
        return f"questions/{self.kind}.html"

    @property
    def text(self) -> str:
        """The value, for a text field."""
        return self.value


@dataclass(frozen=True)
class Progress:
    """How far a contributor is, and what they may still take back."""

    # Matchups judged so far; like every count they see, it includes controls.
    judged: int
    # The assignment decided last, if that may still be changed, and until when.
    undoable: Assignment | None
    undo_until: datetime | None


def get_progress(enrollment: Enrollment, now: datetime) -> Progress:
    """The progress of a contributor, read anew."""
    undoable = find_undoable_assignment(enrollment, now)
    until = get_undo_deadline(undoable) if undoable else None
    return Progress(count_done(enrollment), undoable, until)


def build_matchup_context(
    assignment: Assignment,
    rules: EventRules,
    now: datetime,
    *,
    progress: Progress | None = None,
    posted: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The context of `judging/_matchup.html`; its comment says what each name means.

    `progress` is given where a matchup has just been decided: the assignment is then one that was
    not shown before.
    """
    enrollment = assignment.enrollment
    revised = None if progress else find_revised(assignment)
    undoing = describe_undone(assignment, revised)
    progress = progress or get_progress(enrollment, now)
    judged, undoable = progress.judged, None if undoing else progress.undoable
    texts = load_texts(assignment.matchup_id)
    questions = build_shown_questions(assignment, rules, revised, posted)
    blank = revised is None and posted is None
    return {
        "event": enrollment.event,
        "assignment": assignment,
        "messages": texts.messages,
        "sides": build_shown_responses(assignment.order, texts),
        "questions_html": render_blank_questions(rules, enrollment.event, questions)
        if blank
        else render_questions(questions),
        "judged": judged,
        "undo_url": reverse("judging:undo", args=[undoable.uuid]) if undoable else None,
        "undo_until": progress.undo_until if undoable else None,
        "skip_reasons": SKIP_REASONS,
        "flag_reasons": Flag.Reason.choices,
        "undoing": undoing,
        "replaces": revised.revision if revised else SKIP if undoing else "",
        "identity_hint": judged == IDENTITY_HINT_AFTER and lacks_identity(enrollment),
        "pause_hint": judged > 0 and judged % PAUSE_INTERVAL == 0,
        "measures_behaviour": measures_behaviour(enrollment, rules),
    }


def measures_behaviour(enrollment: Enrollment, rules: EventRules) -> bool:
    """Whether the page sums up how this contributor answers: the event keeps it, and they have
    accepted the terms in force, which say so."""
    agreed = enrollment.terms_id in (None, rules.versions.terms_id)
    return enrollment.event.keeps_behaviour and agreed


def find_revised(assignment: Assignment) -> Judgment | None:
    """The judgment that an answer to this assignment would revise."""
    return Judgment.objects.standing().filter(assignment=assignment).first()


def count_done(enrollment: Enrollment) -> int:
    """How many matchups this contributor has judged, controls included, as in all of their
    counts."""
    return Assignment.objects.filter(enrollment=enrollment, state=Assignment.State.DONE).count()


def lacks_identity(enrollment: Enrollment) -> bool:
    """Whether the event has a prize for which this contributor lacks a verified identity."""
    if not enrollment.event.prize or enrollment.user is None:
        return False
    return not has_verified_identity(enrollment.user)


def build_shown_responses(order: list[int], texts: MatchupTexts) -> list[ShownResponse]:
    """The responses from left to right."""
    return [
        ShownResponse(letter, texts.responses[position])
        for letter, position in zip(RESPONSE_LETTERS, order, strict=False)
    ]


def build_shown_questions(
    assignment: Assignment,
    rules: EventRules,
    revised: Judgment | None,
    posted: dict[str, str] | None,
) -> list[ShownQuestion]:
    """The event's questions with what was just posted, or the answer being revised, filled in."""
    given = {answer.question_id: answer for answer in revised.answers.all()} if revised else {}
    return [
        build_shown_question(question, assignment, posted, given.get(question.pk))
        for question in rules.build_questions(assignment.enrollment.event)
    ]


def build_shown_question(
    question: Question, assignment: Assignment, posted: dict[str, str] | None, given: Any
) -> ShownQuestion:
    """One question, filled in."""
    kind, settings = KINDS[question.kind], question.all_settings()
    value = ""
    if posted is not None:
        value = posted.get(question.name, "")
    elif given is not None:
        value = kind.to_form_value(given.as_value(), assignment.order)
    return ShownQuestion(
        name=question.name,
        kind=question.kind,
        title=question.title,
        help=question.help,
        required=question.required,
        options=kind.choices(settings),
        both_bad=question.kind == "preference" and bool(settings["both_bad"]),
        value=value,
    )


def get_note(assignment: Assignment, rules: EventRules) -> str:
    """The organizer's note, above the first matchup shown to this contributor after it was written.

    Nothing is stored: the same request gives the same result. It depends on times only, so it
    appears above controls and ordinary matchups alike.
    """
    note = rules.note
    if note is None or assignment.shown_at is None or assignment.shown_at < note.created_at:
        return ""
    earlier = Assignment.objects.filter(
        enrollment=assignment.enrollment,
        ordinal__lt=assignment.ordinal,
        shown_at__gte=note.created_at,
    )
    return "" if earlier.exists() else note.text


def describe_undone(assignment: Assignment, revised: Judgment | None) -> str:
    """What an answer to this assignment would undo: "answer", "skip", "flag", or empty."""
    if revised is not None:
        return "answer"
    if assignment.state != Assignment.State.SKIPPED:
        return ""
    return "flag" if assignment.skip_reason == Assignment.SkipReason.FLAGGED else "skip"


def find_undoable_assignment(enrollment: Enrollment, now: datetime) -> Assignment | None:
    """The assignment answered or skipped last, if that can still be undone."""
    decided = Assignment.objects.filter(
        enrollment=enrollment, state__in=(Assignment.State.DONE, Assignment.State.SKIPPED)
    )
    latest = decided.select_related("enrollment__event").order_by("-finished_at", "-ordinal")
    last = latest.first()
    return last if last is not None and is_undoable(last, now) else None

"""Steps that cannot be undone name their consequence and ask once; everything else asks nothing.

Every page that takes a POST stands in one of the two tables: a new one has to be thought about.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.serializers import serialize
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.events.importing.uploads import save_upload
from arena.events.joining.enrolling import provision_event_seats
from arena.events.joining.invitations import invite
from arena.events.models import (
    Control,
    Event,
    ImportJob,
    Invitation,
    Matchup,
    Membership,
    Record,
)
from arena.judging.ledger import seal_event
from arena.people.models import Seat, User
from leaderboard.snapshots.refresh import refresh_fully
from tests.desk.test_desk import FORM
from tests.desk.test_setup import TERMS
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchup,
    make_membership,
    make_user,
)
from tests.security.policy import NOBODY, URLS

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
State = Event.State

# What asks, and a word of the consequence that it names.
ASKS = {
    "open": ("desk:state", "never becomes a draft again"),
    "close": ("desk:state", "cannot be opened again"),
    "publish": ("desk:state", "kept permanently"),
    "seal": ("desk:state", "cannot be renamed"),
    "change guidelines": ("desk:event", "reads the new guidelines"),
    "change terms": ("desk:terms", "accept the new terms"),
    "reissue": ("desk:reissue", "stop working immediately"),
    "reissue one": ("desk:reissue_seat", "stops working immediately"),
    "make a control": ("desk:matchup", "cannot become an ordinary matchup again"),
    "make anchors": ("desk:anchors", "cannot become ordinary matchups again"),
    "make tie controls": ("desk:ties", "takes the place of an ordinary matchup"),
    "withdraw a key": ("desk:matchup", "no longer measures anyone"),
    "correct": ("desk:correct", "cannot come back"),
    "name the winner": ("desk:winner", "A public page announces it"),
    "remove a member": ("events:remove", "lose access to the desk"),
    "withdraw an invitation": ("events:withdraw", "stops working immediately"),
    "delete an upload": ("imports:discard", "Nothing is imported"),
    "take back an import": ("imports:take_back", "deleted"),
    "renew one's code": ("people:code", "stops working immediately"),
}
# What asks on a page of its own, before its button.
ASKS_BEFORE = {
    "judging:leave": "says what is erased and wants a tick",
    "events:invitation": "says what the role is and what has to be given up for it",
    "events:join": "shows the terms above the button",
    "events:claim": "shows the terms above the button",
    "votes:job": "shows the first rows, and asks about what is doubtful",
    "imports:job": "shows the first rows, and can be taken back until somebody has judged",
}
# What can be undone, or takes nothing from anybody.
HARMLESS = {
    "events:guidelines": "says that one has read",
    "judging:warning": "says that one has read",
    "judging:appeal": "asks somebody to look again",
    "judging:judge": "can be changed for a while",
    "judging:skip": "passes on one of many",
    "judging:flag": "reports",
    "desk:flags": "settles a report",
    "desk:contributor": "an exclusion is lifted, and every number is restored",
    "desk:duplicate": "makes a draft",
    "desk:new": "makes a draft",
    "desk:questions": "settings",
    "desk:print_seats": "makes seats",
    "desk:seats": "makes seats",
    "events:people": "makes a link, which can be withdrawn",
    "events:application": "the last word counts",
    "imports:new": "keeps a file",
    "votes:new": "keeps a file",
    "leaderboard:read": "says that one has read",
    "events:line": "a place in line, which costs nobody anything",
    "events:name": "a name, which can be changed",
    "people:saved": "says that the code is saved",
}


def test_every_page_that_takes_a_post_asks_or_can_be_undone() -> None:
    taking = {url.name for url in URLS if url.is_ours and url.doors.post != NOBODY}
    asking = {name for name, _word in ASKS.values()}
    settled = asking | ASKS_BEFORE.keys() | HARMLESS.keys()
    assert taking - settled == set(), "does it ask, or can it be undone?"
    assert settled - taking == set(), "these are gone"
    assert not asking & (ASKS_BEFORE.keys() | HARMLESS.keys())


class Scene:
    """An event with something of everything that can be done for good."""

    def __init__(self, state: str = State.OPEN) -> None:
        self.organizer = make_user("olga")
        self.event = make_event("tea", organizer=self.organizer, state=state)
        models = make_competitors(self.event, 2)
        self.matchup = [make_matchup(self.event, models) for _ in range(4)][-1]
        self.control = make_control(self.event)
        self.client = Client()
        self.client.force_login(self.organizer)

    def post(self, name: str, data: dict[str, str], *args: Any, **options: Any) -> Any:
        own = name.startswith("people:")
        address = reverse(name, args=[] if own else [self.event.slug, *args])
        return self.client.post(address, data, **options)

    def judge(self) -> None:
        """Two judgments, and a board of them."""
        make_judgment(enrollment := make_enrollment(self.event))
        make_judgment(enrollment)
        seal_event(self.event.pk, NOW)
        refresh_fully(self.event, now=NOW)


Act = tuple[Scene, str, dict[str, str], list[Any]]


def opening() -> Act:
    return Scene(State.DRAFT), "desk:state", {"to": "open"}, []


def closing() -> Act:
    return Scene(), "desk:state", {"to": "closed"}, []


def publishing() -> Act:
    scene = Scene()
    scene.judge()
    Event.objects.update(state=State.CLOSED)
    scene.event.refresh_from_db()
    refresh_fully(scene.event, now=NOW)
    return scene, "desk:state", {"to": "published"}, []


def sealing() -> Act:
    scene = Scene()
    scene.judge()
    return scene, "desk:state", {"to": "sealed", "name": "Week 1"}, []


def changing_guidelines() -> Act:
    scene = Scene()
    make_enrollment(scene.event)
    return scene, "desk:event", FORM | {"guidelines": "# Be exact"}, []


def changing_terms() -> Act:
    scene = Scene()
    make_enrollment(scene.event)
    return scene, "desk:terms", TERMS, []


def reissuing() -> Act:
    scene = Scene()
    provision_event_seats(scene.event, 2, Seat.Kind.PRINTED, NOW)
    return scene, "desk:reissue", {}, []


def reissuing_one() -> Act:
    scene = Scene()
    provision_event_seats(scene.event, 1, Seat.Kind.PRINTED, NOW)
    return scene, "desk:reissue_seat", {"username": Seat.objects.get().user.username}, []


def making_a_control() -> Act:
    scene = Scene()
    posted = {"key": scene.matchup.key, "act": "control", "expected": "a", "reason": "So."}
    return scene, "desk:matchup", posted, [scene.matchup.record.external_id]


def withdrawing_a_key() -> Act:
    scene = Scene()
    posted = {"key": scene.control.key, "act": "withdraw", "reason": "Wrong."}
    return scene, "desk:matchup", posted, [scene.control.record.external_id]


def making_anchors() -> Act:
    scene = Scene()
    for _ in range(8):  # one control is too few for so many
        make_matchup(scene.event, list(scene.event.competitors.all()))
    return scene, "desk:anchors", {}, []


def making_ties() -> Act:
    scene = Scene()
    for _ in range(8):
        make_control(scene.event)
    return scene, "desk:ties", {}, []


def correcting() -> Act:
    scene = Scene()
    record = scene.matchup.record
    texts = record.responses.order_by("pk").values_list("text", flat=True)
    posted = {f"response-{index}": text for index, text in enumerate(texts)}
    return (
        scene,
        "desk:correct",
        posted | {"turn-0": "Clearer?", "why": "Unclear."},
        [record.external_id],
    )


def removing_a_member() -> Act:
    scene = Scene()
    make_membership(scene.event, make_user("helper"))
    return scene, "events:remove", {"username": "helper"}, []


def withdrawing_an_invitation() -> Act:
    scene = Scene()
    invitation = invite(scene.event, Invitation.Role.REVIEWER, NOW, by=None)[0]
    return scene, "events:withdraw", {}, [invitation.uuid]


def deleting_an_upload() -> Act:
    scene = Scene()
    file = SimpleUploadedFile("records.csv", b"external_id,prompt\n1,Why?\n")
    job = save_upload(scene.event, file, scene.organizer, NOW)
    return scene, "imports:discard", {}, [job.uuid]


def renewing_a_code() -> Act:
    scene = Scene()
    provision_event_seats(scene.event, 1, Seat.Kind.PRINTED, NOW)
    scene.client.force_login(Seat.objects.get().user)
    return scene, "people:code", {}, []


# The winner and imports have tests of their own, where there is something to name or take back.
ACTS: dict[str, Callable[[], Act]] = {
    "open": opening,
    "make anchors": making_anchors,
    "make tie controls": making_ties,
    "close": closing,
    "publish": publishing,
    "seal": sealing,
    "change guidelines": changing_guidelines,
    "change terms": changing_terms,
    "reissue": reissuing,
    "reissue one": reissuing_one,
    "make a control": making_a_control,
    "withdraw a key": withdrawing_a_key,
    "correct": correcting,
    "remove a member": removing_a_member,
    "withdraw an invitation": withdrawing_an_invitation,
    "delete an upload": deleting_an_upload,
    "renew one's code": renewing_a_code,
}


def everything() -> str:
    """All that such a step could change."""
    models = (Event, Matchup, Control, Record, Membership, Invitation, ImportJob, Seat, User)
    return "".join(serialize("json", model.objects.order_by("pk")) for model in models) + "".join(
        str(list(event.snapshots.values_list("name", "sealed_at", "published_at")))
        + str(event.terms.count())
        + str(event.guidelines.count())
        for event in Event.objects.all()
    )


@pytest.mark.parametrize("what", ACTS)
def test_what_cannot_be_undone_asks_once(what: str) -> None:
    scene, name, posted, args = ACTS[what]()
    assert ASKS[what][0] == name
    before = everything()
    for headers in ({}, {"X-Question": "alone"}):
        question = scene.post(name, posted, *args, headers=headers)
        page = question.content.decode()
        assert question.status_code == 200
        assert ASKS[what][1] in page
        assert 'name="sure" value="yes"' in page
        assert ("<html" in page) == (not headers)
        assert everything() == before
    hidden = question.context["posted"]
    done = scene.post(name, {**dict(hidden), "sure": "yes"}, *args)
    assert done.status_code in (200, 302)
    assert everything() != before


@pytest.mark.parametrize(
    ("what", "warns"),
    [
        *(("open", False), ("publish", False), ("seal", False)),
        *(("close", True), ("remove a member", True)),
    ],
)
def test_only_a_step_that_takes_something_away_has_a_button_that_warns(
    what: str, warns: bool
) -> None:
    scene, name, posted, args = ACTS[what]()
    assert (b"button-danger" in scene.post(name, posted, *args).content) == warns


def test_closing_says_how_long_the_deadline_can_still_be_moved() -> None:
    scene = Scene()
    nobody = scene.post("desk:state", {"to": "closed"}).content.decode()
    make_assignment(make_enrollment(scene.event), now=timezone.now())
    somebody = scene.post("desk:state", {"to": "closed"}).content.decode()
    assert "move the deadline" not in nobody
    assert "10 minutes to answer it. Until then you can still move the deadline." in somebody

    later = {"to": "extended", "closes_at": "2031-01-01T09:00", "why": "More time."}
    scene.post("desk:state", {"to": "closed", "sure": "yes"})
    scene.post("desk:state", later)
    assert Event.objects.get().takes_contributors(timezone.now())


@pytest.mark.parametrize(
    ("name", "posted"),
    [
        ("desk:state", {"to": "closed"}),  # of a draft
        ("desk:state", {"to": "sealed", "name": " "}),
        ("desk:reissue", {}),
    ],
)
def test_what_has_no_consequence_asks_nothing(name: str, posted: dict[str, str]) -> None:
    scene = Scene(State.DRAFT)
    before = everything()
    alone = scene.post(name, posted, headers={"X-Question": "alone"})
    assert alone.status_code == 204
    assert everything() == before
    assert scene.post(name, posted).status_code == 302


def test_the_question_keeps_what_was_typed_to_the_letter() -> None:
    scene, name, posted, args = correcting()
    posted["turn-0"] = 'Two\r\nlines & "marks" <b>'
    question = scene.post(name, posted, *args)
    assert "&lt;b&gt;" in question.content.decode()
    scene.post(name, {**dict(question.context["posted"]), "sure": "yes"}, *args)
    new = Record.objects.get(replaces__isnull=False)
    assert new.prompt[0]["content"] == 'Two\nlines & "marks" <b>'

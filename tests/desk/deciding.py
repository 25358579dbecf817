"""Every way there is to decide something about an event: by the desk's forms, a file, a command."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from arena.errors import ArenaError
from arena.events.decision_record import Ruling
from arena.events.importing.reverting import revert_import
from arena.events.models import Act, Control, Event, ImportJob, Matchup, Record
from arena.judging.models import Case, Exclusion, Judgment
from arena.judging.review.cases import exclude_on_review
from arena.judging.skipping import flag_assignment
from arena.people.models import User
from leaderboard.models import Winner
from leaderboard.results.winner import confirm_winner
from tests.desk.cast import signed_in, url
from tests.desk.test_desk import FORM, QUESTIONS
from tests.desk.test_setup import TERMS
from tests.events import record_files
from tests.events.test_ties import make_full_event
from tests.factories import (
    NOW,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchups,
    make_membership,
    make_user,
)
from tests.leaderboard.test_contributors_page import make_standing

WHY = "It was found out."
WRITTEN = (Control, Exclusion, Winner)
"""What the guarded decisions change."""


class Scene:
    """An event with a control, somebody at the top of its board, and two people of staff."""

    def __init__(self, folder: Path, *, staff: int = 2, **settings: Any) -> None:
        self.folder = folder
        self.organizer: User = make_user()
        self.event: Event = make_event(organizer=self.organizer, **settings)
        self.staff = [self.organizer, *(make_user() for _ in range(staff - 1))]
        for user in self.staff[1:]:
            make_membership(self.event, user)
        self.matchup = make_matchups(self.event, make_competitors(self.event, 2), 8)[0]
        self.control: Matchup = make_control(self.event)
        self.best = make_enrollment(self.event)
        self.judgment: Judgment = make_judgment(self.best)
        self.case = Case.objects.create(
            evidence={"on_others": 0.1},
            event=self.event,
            enrollment=self.best,
            reason="gap",
            judgments=1,
            opened_at=NOW,
        )
        make_standing(self.best, 200, quality=700_000, rank=1, band=5)

    def close(self) -> None:
        """The event is over, and its boards are computed."""
        Event.objects.filter(pk=self.event.pk).update(state=Event.State.CLOSED)
        self.event.refresh_from_db()
        self.event.snapshots.create(
            created_at=NOW, ledger_seq=1, fingerprint="", judgments=1, contributors=1
        )

    def client(self, user: User | None = None) -> Client:
        return signed_in(user or self.organizer)

    def rule(self, user: User | None = None) -> Ruling:
        return Ruling(user or self.organizer, timezone.now(), WHY)

    def rows(self) -> list[Any]:
        """What the guarded decisions change, as it is."""
        return [list(model.objects.order_by("pk").values()) for model in WRITTEN]


@dataclass(frozen=True)
class Way:
    """One way to decide: what is written, what somebody does, and what it takes beforehand."""

    act: str
    do: Callable[[Scene, Client], Any]
    before: Callable[[Scene], Any] = lambda scene: None


# --- by the desk's forms -------------------------------------------------------------------------
def post_matchup(scene: Scene, client: Client, matchup: Matchup, **form: str) -> None:
    address = url("matchup", scene.event, matchup.record.external_id)
    client.post(address, {"key": matchup.key, "sure": "yes", "reason": WHY} | form)


def set_key(scene: Scene, client: Client) -> None:
    post_matchup(scene, client, scene.matchup, act="control", expected="a")


def change_key(scene: Scene, client: Client) -> None:
    post_matchup(scene, client, scene.control, act="change", expected="b")


def withdraw_key(scene: Scene, client: Client) -> None:
    post_matchup(scene, client, scene.control, act="withdraw")


def retire(scene: Scene, client: Client) -> None:
    post_matchup(scene, client, scene.matchup, act="retire")


def restore(scene: Scene, client: Client) -> None:
    post_matchup(scene, client, scene.matchup, act="restore")


def retire_flagged(scene: Scene, client: Client) -> None:
    form = {"assignment": str(scene.judgment.assignment.uuid), "act": "retire"}
    client.post(url("flags", scene.event), form)


def flag(scene: Scene) -> None:
    flag_assignment(scene.judgment.assignment, "broken", "cut off", now=NOW)


def reopen_flagged(scene: Scene, client: Client) -> None:
    form = {"assignment": str(scene.judgment.assignment.uuid), "act": "reopen"}
    client.post(url("flags", scene.event), form)


def retire_by_flag(scene: Scene) -> None:
    flag(scene)
    retire_flagged(scene, scene.client())


def correct(scene: Scene, client: Client) -> None:
    record = Record.objects.get(pk=scene.matchup.record_id)
    form = {"turn-0": "New?", "response-0": "New.", "response-1": "Newer.", "why": WHY}
    client.post(url("correct", scene.event, record.external_id), form | {"sure": "yes"})


def post_contributor(scene: Scene, client: Client, **form: str) -> None:
    address = url("contributor", scene.event, scene.best.public_id)
    client.post(address, {"note": WHY, "sure": "yes"} | form)


def exclude(scene: Scene, client: Client) -> None:
    post_contributor(scene, client, act="exclude", reason="rigging")


def exclude_judgment(scene: Scene, client: Client) -> None:
    judgment = str(scene.judgment.uuid)
    post_contributor(scene, client, act="exclude", reason="broken", judgment=judgment)


def post_case(scene: Scene, client: Client, **form: str) -> None:
    address = url("case", scene.event, scene.case.uuid)
    page = client.get(address)
    seen = page.context["seen"] if page.status_code == 200 else ""
    client.post(address, {"note": WHY, "seen": seen} | form)


def exclude_for_case(scene: Scene, client: Client) -> None:
    post_case(scene, client, act="exclude", scope="all")


def dismiss(scene: Scene, client: Client) -> None:
    post_case(scene, client, act="dismiss")


def warn(scene: Scene, client: Client) -> None:
    post_case(scene, client, act="warn")


def block(scene: Scene, client: Client) -> None:
    post_case(scene, client, act="block")


def reinstate(scene: Scene, client: Client) -> None:
    post_contributor(scene, client, act="reinstate")


def exclude_before(scene: Scene) -> None:
    exclude_on_review(scene.best, "rigging", scene.rule())


def confirm(scene: Scene, client: Client) -> None:
    form = {"contributor": str(scene.best.public_id), "note": WHY, "sure": "yes"}
    client.post(url("winner", scene.event), form)


def withdraw(scene: Scene, client: Client) -> None:
    client.post(url("winner", scene.event), {"act": "withdraw", "note": WHY, "sure": "yes"})


def clear_case(scene: Scene) -> None:
    """Nobody wins while a case about them is open."""
    Case.objects.filter(pk=scene.case.pk).delete()


def confirm_before(scene: Scene) -> None:
    """Confirmed by all of the staff, of whom two are enough."""
    clear_case(scene)
    second = scene.staff[1] if len(scene.staff) > 1 else None
    ruling = Ruling(scene.organizer, timezone.now(), WHY, second)
    confirm_winner(scene.event, scene.best, ruling)


def change_event(scene: Scene, client: Client) -> None:
    client.post(url("event", scene.event), FORM | {"why": WHY, "sure": "yes"})


def change_questions(scene: Scene, client: Client) -> None:
    form = QUESTIONS | {"daily_cap": "77", "why": WHY, "sure": "yes"}
    client.post(url("questions", scene.event), form)


def change_terms(scene: Scene, client: Client) -> None:
    client.post(url("terms", scene.event), TERMS | {"why": WHY, "sure": "yes"})


def extend(scene: Scene, client: Client) -> None:
    form = {"to": "extended", "closes_at": "2031-05-01T18:00", "why": WHY, "sure": "yes"}
    client.post(url("state", scene.event), form)


def end(scene: Scene, client: Client) -> None:
    client.post(url("state", scene.event), {"to": "closed", "sure": "yes"})


def make_ties(scene: Scene, client: Client) -> None:
    client.post(url("ties", scene.event), {"sure": "yes"})


def offer_tie(scene: Scene) -> None:
    """An event whose records offer one tie control."""
    event = make_full_event()
    make_membership(event, scene.organizer, "organizer")
    for user in scene.staff[1:]:
        make_membership(event, user)
    scene.event = event


# --- by a file and a command ---------------------------------------------------------------------
def write_control(scene: Scene, expected: str) -> Path:
    file = scene.folder / "controls.jsonl"
    said = record_files.control(expected, external_id="from-a-file")
    file.write_text(json.dumps(said) + "\n")
    return file


def run_import(scene: Scene, expected: str) -> None:
    """The command, which refuses by an error of its own."""
    with (scene.folder / "said.txt").open("w") as said:
        try:
            file = str(write_control(scene, expected))
            call_command("import_records", scene.event.slug, file, accept_doubts=True, stdout=said)
        except Exception as error:  # noqa: BLE001 (what it wrote is what is looked at)
            said.write(str(error))


def import_key(scene: Scene, _client: Client) -> None:
    run_import(scene, "a")


def import_other_key(scene: Scene, _client: Client) -> None:
    run_import(scene, "b")


def import_before(scene: Scene) -> None:
    run_import(scene, "a")
    assert Control.objects.filter(matchup__record__external_id="from-a-file").exists()


def take_import_back(scene: Scene, _client: Client) -> None:
    job = ImportJob.objects.get(event=scene.event)
    try:
        revert_import(job, timezone.now(), by=scene.organizer)
    except ArenaError:
        return


OPEN: dict[str, Way] = {
    "key set": Way(Act.KEY_SET, set_key),
    "key changed": Way(Act.KEY_CHANGED, change_key),
    "key withdrawn": Way(Act.KEY_WITHDRAWN, withdraw_key),
    "tie control": Way(Act.KEY_SET, make_ties, offer_tie),
    "key imported": Way(Act.KEY_SET, import_key),
    "other key imported": Way(Act.KEY_CHANGED, import_other_key, import_before),
    "import taken back": Way(Act.KEY_WITHDRAWN, take_import_back, import_before),
    "matchup retired": Way(Act.MATCHUP_RETIRED, retire),
    "matchup restored": Way(
        Act.MATCHUP_RESTORED, restore, lambda scene: retire(scene, scene.client())
    ),
    "matchup retired by a flag": Way(Act.MATCHUP_RETIRED, retire_flagged, flag),
    "flag reopened": Way(Act.MATCHUP_RESTORED, reopen_flagged, retire_by_flag),
    "record corrected": Way(Act.RECORD_CORRECTED, correct),
    "contributor excluded": Way(Act.EXCLUDED, exclude),
    "judgment excluded": Way(Act.EXCLUDED, exclude_judgment),
    "excluded for a case": Way(Act.EXCLUDED, exclude_for_case),
    "contributor reinstated": Way(Act.REINSTATED, reinstate, exclude_before),
    "case dismissed": Way(Act.DISMISSED, dismiss),
    "warned": Way(Act.WARNED, warn),
    "blocked": Way(Act.BLOCKED, block),
    "event changed": Way(Act.SETTING_CHANGED, change_event),
    "questions changed": Way(Act.SETTING_CHANGED, change_questions),
    "terms changed": Way(Act.SETTING_CHANGED, change_terms),
    "deadline moved": Way(Act.SETTING_CHANGED, extend),
    "closed by hand": Way(Act.SETTING_CHANGED, end),
}
"""While the event runs."""
GUARDED: dict[str, Way] = {
    "key set": OPEN["key set"],
    "key changed": OPEN["key changed"],
    "key withdrawn": OPEN["key withdrawn"],
    "contributor excluded": OPEN["contributor excluded"],
    "judgment excluded": OPEN["judgment excluded"],
    "excluded for a case": OPEN["excluded for a case"],
    "winner confirmed": Way(Act.WINNER_CONFIRMED, confirm, clear_case),
    "winner withdrawn": Way(Act.WINNER_WITHDRAWN, withdraw, confirm_before),
}
"""Once it is over: what takes two people, and can be proposed."""
REFUSED: dict[str, Way] = {
    "key imported": OPEN["key imported"],
    "other key imported": OPEN["other key imported"],
    "import taken back": OPEN["import taken back"],
    "tie control": OPEN["tie control"],
}
"""Once it is over: what nobody does, not even two."""

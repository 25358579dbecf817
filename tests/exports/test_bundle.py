"""The bundle of a snapshot: what is in it and what never is, and that it is the same each time."""

import hashlib
import io
import json
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.files.storage import FileSystemStorage, storages
from django.core.management import CommandError, call_command

from arena.errors import ConflictError
from arena.events.decision_record import Ruling
from arena.events.lifecycle.duplication import duplicate_event
from arena.events.models import Enrollment, Event
from arena.exports.bundle import ensure_bundle, hash_package, open_bundle, stream_bundle
from arena.exports.bundle_tables import RESULTS, SOURCES, BundleTable
from arena.judging.ledger import seal_event
from arena.judging.models import Exclusion, Judgment
from arena.judging.recording import check_answers, record_judgment
from arena.judging.review.exclusions import exclude
from leaderboard.boards.snapshot_details import VERSION
from leaderboard.models import Reliability, Snapshot
from leaderboard.snapshots.refresh import refresh_fully
from tests.exports.cast import Cast, vote_often
from tests.factories import (
    NOW,
    make_companion,
    make_competitors,
    make_event,
    make_matchup,
    make_response,
    make_user,
)

pytestmark = pytest.mark.django_db
WITHHELD = {
    # Who may come in, the key, the seats, the version that tells caches apart, what is measured
    # beside the answers, and a note to staff: no number follows from them.
    "event": "is_private created_at email_domains needs_approval secret seats_id version"
    " keeps_behaviour batch_is_new published_at",
    "guidelines": "created_at",
    # Its place in a list follows from the identifier, and what is shown of it from its text; which
    # import brought it moves nothing.
    "records": "metadata replaces_id sort_key import_job_id prompt_html rendered_with",
    "responses": "html rendered_with",
    # It follows from the responses.
    "matchups": "pair",
    # Who it is, what they were told and when.
    "contributors": "user_id external_id guidelines_id guidelines_at terms_id terms_at left_at"
    " served blocked_at has_warning",
    # They follow from the judgments.
    "ledger": "row_digests",
    # Why a key was withdrawn is the organizer’s own word; which events share one is theirs.
    "controls": "retired_because copied_from_id",
    "judgments": "assignment_id import_job_id",
    "exclusions": "note created_by_id lifted_at lifted_by_id decision_id",
    # What it was computed from and by which method: the fingerprint, and the manifest.
    "snapshot": "published_at content method",
    # Evidence about people.
    "weights": " ".join(
        field.attname
        for field in Reliability._meta.concrete_fields
        if field.attname not in ("id", "enrollment_id", "weight", "rigged")
    ),
    "ratings": "snapshot_id",
}


@pytest.fixture(autouse=True)
def media(settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "uploads"
    return settings.MEDIA_ROOT


@pytest.fixture
def cast() -> Cast:
    cast = Cast()
    cast.judge_all()
    return cast


def current(event: Event) -> Snapshot:
    """The event's board, up to date."""
    seal_event(event.pk, NOW)
    refresh_fully(event, now=NOW)
    return event.snapshots.latest()


def published(event: Event) -> Event:
    event.state = Event.State.PUBLISHED
    event.save()
    return event


def opened(snapshot: Snapshot) -> ZipFile:
    return ZipFile(io.BytesIO(b"".join(stream_bundle(snapshot))))


def table(bundle: ZipFile, name: str) -> list[dict]:
    return [json.loads(line) for line in bundle.read(f"{name}.jsonl").splitlines()]


def test_every_file_has_its_checksum(cast: Cast) -> None:
    bundle = opened(current(cast.event))
    assert bundle.testzip() is None
    lines = bundle.read("SHA256SUMS").decode().splitlines()
    sums = {line[66:]: line[:64] for line in lines}
    assert [*sums, "SHA256SUMS"] == bundle.namelist()
    for name, digest in sums.items():
        assert hashlib.sha256(bundle.read(name)).hexdigest() == digest


def test_the_same_state_gives_the_same_bytes(cast: Cast) -> None:
    snapshot = current(cast.event)
    first = b"".join(stream_bundle(snapshot))
    assert b"".join(stream_bundle(Snapshot.objects.get(pk=snapshot.pk))) == first


def test_a_published_event_is_told_with_its_controls(cast: Cast) -> None:
    bundle = opened(current(published(cast.event)))
    manifest = json.loads(bundle.read("manifest.json"))
    assert manifest["with_controls"] is True
    assert manifest["ledger_seq"] == 7
    assert [row["key"] for row in table(bundle, "controls")] == [{"sign": 1}]
    assert {row["role"] for row in table(bundle, "matchups")} == {"ordinary", "control", "anchor"}
    assert {row["weighting"] for row in table(bundle, "ratings")} == {"raw", "weighted"}
    assert len(table(bundle, "judgments")) == 7
    assert [row["reason"] for row in table(bundle, "exclusions")] == ["broken"]


def test_before_that_nothing_tells_a_control(cast: Cast) -> None:
    companion = make_companion(cast.control)
    cast.judge(cast.ada, companion, "a1")
    copy = make_response(cast.first.record, None, "It is less dense.")
    bundle = opened(current(cast.event))
    assert json.loads(bundle.read("manifest.json"))["with_controls"] is False
    assert table(bundle, "controls") == []
    assert {row["role"] for row in table(bundle, "matchups")} == {"ordinary"}
    special = {cast.control.pk, cast.anchor.pk, companion.pk}
    assert not special & {row["id"] for row in table(bundle, "matchups")}
    assert not special & {row["matchup_id"] for row in table(bundle, "judgments")}
    assert not special & {row["matchup_id"] for row in table(bundle, "places")}
    records = {cast.control.record_id, cast.anchor.record_id}
    assert not records & {row["id"] for row in table(bundle, "records")}
    assert not records & {row["record_id"] for row in table(bundle, "responses")}
    assert copy.pk not in {row["id"] for row in table(bundle, "responses")}
    assert len(table(bundle, "judgments")) == 5
    assert "left out" in bundle.read("README.md").decode()


def test_nobody_is_named_and_nothing_typed_by_a_contributor_is_told(cast: Cast) -> None:
    Enrollment.objects.filter(pk=cast.ben.pk).update(external_id="ben@work.example")
    bundle = opened(current(published(cast.event)))
    text = "".join(bundle.read(name).decode() for name in bundle.namelist())
    told = [cast.event.secret, "organa", "denser", "secret", "work.example"]
    for user in (cast.ada.user, cast.ben.user):
        told += [user.email, f'"{user.username}"']
    assert [word for word in told if word in text] == []
    assert cast.ada.pseudonym in text


@pytest.mark.parametrize("chosen", [*SOURCES, *RESULTS], ids=lambda chosen: chosen.name)
def test_every_column_is_decided_about(chosen: BundleTable) -> None:
    withheld = WITHHELD.get(chosen.name, "").split()
    fields = [field.attname for field in chosen.model._meta.concrete_fields]
    assert sorted(fields) == sorted([*chosen.columns, *withheld])


def test_the_version_of_the_details_is_the_databases_own(cast: Cast) -> None:
    """A bundle of before there was one holds the same keys, and compares equal."""
    snapshot = current(cast.event)
    row = json.loads(opened(snapshot).read("snapshot.jsonl"))
    assert snapshot.details == {"version": VERSION} | row["details"]
    assert row["details"]["boards"]


def test_how_long_answers_took_is_in_no_bundle(cast: Cast) -> None:
    snapshot = current(cast.event)
    (panel,) = (b["bias"] for b in snapshot.details["boards"].values() if "bias" in b)
    panel["pace"] = {"fast_seconds": 3.5}
    snapshot.save()
    row = json.loads(opened(snapshot).read("snapshot.jsonl"))
    (written,) = (b["bias"] for b in row["details"]["boards"].values() if "bias" in b)
    assert written == {name: value for name, value in panel.items() if name != "pace"}


def test_floats_are_in_full_precision(cast: Cast) -> None:
    snapshot = current(cast.event)
    strengths = {row["id"]: row["strength"] for row in table(opened(snapshot), "ratings")}
    assert strengths
    assert strengths == dict(snapshot.ratings.filter(weighting="raw").values_list("pk", "strength"))


def test_an_event_that_has_moved_on_has_no_bundle(cast: Cast) -> None:
    snapshot = current(cast.event)
    exclude(cast.ben, Exclusion.Reason.RIGGING, Ruling(None, NOW))
    with pytest.raises(ConflictError, match="event has changed"):
        next(stream_bundle(snapshot))
    assert len(table(opened(current(cast.event)), "exclusions")) == 2


def test_a_change_of_mind_under_way_is_waited_for(cast: Cast) -> None:
    judgment = cast.judge(cast.ben, cast.first, "a2")
    snapshot = current(cast.event)
    answers = check_answers(judgment.assignment, {"preference": "b1"})
    record_judgment(judgment.assignment, answers, now=NOW + timedelta(seconds=5), replaces="0")
    with pytest.raises(ConflictError, match="event has changed"):
        next(stream_bundle(snapshot))
    judgments = table(opened(current(cast.event)), "judgments")
    assert [row["standing"] for row in judgments[-2:]] == [False, True]


def test_judgments_after_the_head_stay_out_unless_an_exclusion_names_them(cast: Cast) -> None:
    late = cast.judge(cast.ben, cast.third, "a1")
    Exclusion.objects.create(
        event=cast.event, judgment=late, reason=Exclusion.Reason.LATE, created_at=NOW
    )
    refresh_fully(cast.event, now=NOW)
    snapshot = cast.event.snapshots.latest()
    assert snapshot.ledger_seq == 5
    unsealed = [row for row in table(opened(snapshot), "judgments") if row["ledger_seq"] is None]
    assert [row["uuid"] for row in unsealed] == [str(late.uuid)]


def test_other_events_are_left_alone(cast: Cast) -> None:
    other = make_event()
    vote_often(other, make_matchup(other, make_competitors(other, 2)), 1, 0)
    stranger = other.enrollments.first()
    exclude(stranger, Exclusion.Reason.RIGGING, Ruling(None, NOW))
    current(other)
    bundle = opened(current(published(cast.event)))
    for name in ("questions", "competitors", "records", "matchups", "judgments", "exclusions"):
        assert {row.get("event_id") for row in table(bundle, name)} == {cast.event.pk}
    assert len(table(bundle, "places")) == 2 * 5
    assert len(table(bundle, "answers")) == 7
    assert len(table(bundle, "ledger")) == 2


def sealed(event: Event, name: str = "Final") -> Snapshot:
    snapshot = current(event)
    Snapshot.objects.filter(pk=snapshot.pk).update(name=name, sealed_at=NOW)
    return event.snapshots.get(name=name)


def test_a_kept_bundle_stays_as_it_was(cast: Cast) -> None:
    snapshot = sealed(cast.event)
    name = ensure_bundle(snapshot)
    before = open_bundle(snapshot).read()
    exclude(cast.ben, Exclusion.Reason.RIGGING, Ruling(None, NOW))
    assert ensure_bundle(snapshot) == name
    assert open_bundle(snapshot).read() == before
    assert storages["bundles"].listdir("") == ([], [name])


def test_publishing_adds_the_controls_to_the_kept_bundle(cast: Cast) -> None:
    snapshot = sealed(cast.event)
    before = ensure_bundle(snapshot)
    snapshot.event.state = Event.State.PUBLISHED
    snapshot.event.save()
    whole = ensure_bundle(snapshot)
    assert whole != before
    assert len(table(ZipFile(open_bundle(snapshot)), "controls")) == 1


def test_a_bundle_gives_no_keys_away_that_a_running_copy_uses(cast: Cast) -> None:
    copy = duplicate_event(
        cast.event,
        "Fair again",
        organizer=make_user(),
        now=NOW,
        rng=Random(1),
    )
    snapshot = sealed(cast.event)
    snapshot.event.state = Event.State.PUBLISHED
    snapshot.event.save()
    assert len(table(ZipFile(open_bundle(snapshot)), "controls")) == 1
    for state in (Event.State.OPEN, Event.State.FROZEN):
        Event.objects.filter(pk=copy.pk).update(state=state)
        shown = ZipFile(open_bundle(snapshot))
        assert table(shown, "controls") == []
        assert {row["role"] for row in table(shown, "matchups")} == {"ordinary"}
        assert "a running copy of it" in shown.read("README.md").decode()
    Event.objects.filter(pk=copy.pk).update(state=Event.State.CLOSED)
    assert len(table(ZipFile(open_bundle(snapshot)), "controls")) == 1


def test_an_earlier_round_keeps_the_bundle_it_had(cast: Cast) -> None:
    snapshot = sealed(cast.event, "Round 1")
    before = ensure_bundle(snapshot)
    cast.judge(cast.ben, cast.first, "a2")
    sealed(cast.event, "Round 2")
    snapshot.event.state = Event.State.PUBLISHED
    assert ensure_bundle(snapshot) == before
    storages["bundles"].delete(before)
    with pytest.raises(ConflictError):
        ensure_bundle(snapshot)


def test_the_command_brings_the_board_up_to_date(cast: Cast, tmp_path: Path) -> None:
    out = tmp_path / "fair.zip"
    call_command("bundle", "fair", "--out", str(out))
    bundle = ZipFile(out)
    assert len(table(bundle, "judgments")) == 5
    assert table(bundle, "snapshot")[0]["judgments"] == Judgment.objects.counted().count()


def test_the_command_hands_out_a_sealed_round(cast: Cast, tmp_path: Path) -> None:
    snapshot = sealed(cast.event)
    cast.judge(cast.ben, cast.first, "a2")
    out = tmp_path / "fair.zip"
    with pytest.raises(CommandError, match="no round 'Finale'"):
        call_command("bundle", "fair", "--round=Finale", "--out", str(out))
    call_command("bundle", "fair", "--round=Final", "--out", str(out))
    assert table(ZipFile(out), "snapshot")[0]["id"] == snapshot.pk


def test_the_command_refuses(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no event 'fair'"):
        call_command("bundle", "fair", "--out", str(tmp_path / "x.zip"))
    Cast()
    with pytest.raises(CommandError, match="no judgments yet"):
        call_command("bundle", "fair", "--out", str(tmp_path / "x.zip"))


def test_the_code_is_known_by_its_contents() -> None:
    assert len(hash_package("leaderboard")) == 64
    assert hash_package("leaderboard") != hash_package("arena")


def test_bundles_of_earlier_releases_are_adopted(cast: Cast, settings: Any) -> None:
    snapshot = sealed(cast.event)
    name, content = ensure_bundle(snapshot), open_bundle(snapshot).read()
    files = FileSystemStorage(location=Path(settings.MEDIA_ROOT) / "bundles")
    files.save(name, open_bundle(snapshot))
    storages["bundles"].delete(name)
    call_command("adopt_bundles")
    exclude(cast.ben, Exclusion.Reason.RIGGING, Ruling(None, NOW))
    assert open_bundle(snapshot).read() == content
    assert files.listdir("")[1] == []

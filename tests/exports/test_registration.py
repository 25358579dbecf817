"""The registration in a bundle: anybody can check it with what else is there."""

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from arena.events.decision_record import Ruling
from arena.events.lifecycle.event_settings import recorded_settings
from arena.events.models import Control, Event, Guidelines, Registration
from arena.events.records.controls import ExpectedAnswer, change_key, withdraw_key
from arena.exports.bundle import write_bundle
from arena.exports.management.commands.reproduce import describe_success
from arena.exports.reproducing import BundleError, Reproduction, reproduce
from tests.exports.cast import Cast
from tests.exports.test_bundle import current, opened, published, table
from tests.exports.test_reproduce import empty_database, rewritten
from tests.factories import NOW, make_control

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def event() -> Event:
    """Judged, with a setting and a key changed with a record, and a key withdrawn."""
    cast = Cast()
    ruling = Ruling(cast.organizer, NOW, "As asked.")
    with recorded_settings(cast.event, ruling):
        Event.objects.update(overlap=4, email_domains="acme.example")
        Guidelines.objects.create(event=cast.event, version=2, text="# Be kind")
    cast.event.refresh_from_db()
    cast.judge_all()
    change_key(cast.control.control, ExpectedAnswer("b", "No."), ruling)
    return cast.event


def registration(bundle: ZipFile) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(bundle.read("registration.json"))
    return said


def write(event: Event, folder: Path) -> Path:
    """The event's bundle; the database is empty again."""
    path = folder / "fair.zip"
    write_bundle(current(event), path)
    empty_database()
    return path


def change(path: Path, changes: dict[str, Any]) -> Reproduction:
    """What comes out where the file says something else."""

    def rewrite(rows: list[dict[str, Any]]) -> None:
        rows[0].update(changes)

    return reproduce(rewritten(path, "registration.json", rewrite), NOW)


def test_until_the_result_keys_are_counted(event: Event) -> None:
    said = registration(opened(current(event)))
    assert hashlib.sha256(said["content"].encode()).hexdigest() == said["digest"]
    assert said["keys_key"] is None
    assert said["key_changes"] == [{"day": "2026-11-01", "act": "key_changed", "count": 1}]
    (changed,) = said["changes"]
    assert (changed["reason"], changed["by"][:6]) == ("As asked.", "Staff ")
    assert (changed["old"]["overlap"], changed["new"]["overlap"]) == (3, 4)
    assert "acme.example" not in json.dumps(said)


def test_with_the_result_anybody_can_check_the_keys(event: Event) -> None:
    bundle = opened(current(published(event)))
    said = registration(bundle)
    records = {row["id"]: row["external_id"] for row in table(bundle, "records")}
    names = {
        row["id"]: f"{records[row['record_id']]}: {row['key']}" for row in table(bundle, "matchups")
    }
    keys = {names[row["matchup_id"]]: row["key"] for row in table(bundle, "controls")}
    for decided in reversed(said["key_changes"]):
        assert keys[decided["matchup"]] == decided["new"]
        keys[decided["matchup"]] = decided["old"]
    digest = hmac.digest(
        bytes.fromhex(said["keys_key"]),
        json.dumps(keys, sort_keys=True, separators=(",", ":")).encode(),
        "sha256",
    )
    assert digest.hex() == json.loads(said["content"])["controls"]["digest"]


def test_reproduce_checks_it(event: Event, tmp_path: Path) -> None:
    digest = event.registration.digest
    result = reproduce(write(published(event), tmp_path), NOW + timedelta(days=30))
    assert result.differences == []
    assert digest in describe_success(result)


def test_so_it_does_without_controls(event: Event, tmp_path: Path) -> None:
    result = reproduce(write(event, tmp_path), NOW)
    assert (result.differences, result.registration != "") == ([], True)


def test_so_it_does_where_a_key_was_withdrawn(tmp_path: Path) -> None:
    cast = Cast()
    cast.judge_all()
    withdraw_key(cast.control.control, "Wrong.", Ruling(cast.organizer, NOW, "Wrong."))
    result = reproduce(write(published(cast.event), tmp_path), NOW)
    assert result.differences == []


def test_a_setting_changed_without_a_record_is_a_difference(event: Event, tmp_path: Path) -> None:
    Event.objects.update(overlap=5)
    result = reproduce(write(event, tmp_path), NOW)
    assert result.differences == ["registration: overlap was changed without a record"]


def test_a_key_changed_without_a_record_is_a_difference(event: Event, tmp_path: Path) -> None:
    make_control(event)
    result = reproduce(write(published(event), tmp_path), NOW)
    assert result.differences == ["registration: keys of controls was changed without a record"]


def test_a_key_turned_behind_a_record_is_one_too(event: Event, tmp_path: Path) -> None:
    path = write(published(event), tmp_path)
    with ZipFile(path) as archive:
        said = registration(archive)
    said["key_changes"][0]["old"] = {"sign": 0}
    differences = change(path, {"key_changes": said["key_changes"]}).differences
    assert differences == ["registration: keys of controls was changed without a record"]


def test_another_registration_than_the_ledgers_breaks_the_chain(
    event: Event, tmp_path: Path
) -> None:
    path = write(published(event), tmp_path)
    with ZipFile(path) as archive:
        content = registration(archive)["content"].replace('"overlap":3', '"overlap":4')
    digest = hashlib.sha256(content.encode()).hexdigest()
    with pytest.raises(BundleError, match="The registration of event"):
        change(path, {"content": content, "digest": digest})


def test_without_the_ledger_its_digest_is_checked(event: Event, tmp_path: Path) -> None:
    path = write(event, tmp_path)
    differences = change(path, {"digest": "0" * 64}).differences
    assert differences == ["registration: digest was changed without a record"]


def test_a_bundle_from_before_has_none(tmp_path: Path) -> None:
    cast = Cast()
    Registration.objects.all().delete()
    cast.event.ledger_entries.filter(kind="registration").delete()
    cast.judge_all()
    assert Control.objects.exists()
    path = write(published(cast.event), tmp_path)
    with ZipFile(path) as archive:
        assert "registration.json" not in archive.namelist()
    result = reproduce(path, NOW)
    assert (result.differences, result.registration) == ([], "")
    assert "registered" not in describe_success(result)

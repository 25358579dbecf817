"""manage.py reproduce: the same numbers elsewhere, and a clear word where they are not."""

import hashlib
import json
import math
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command

from arena.events.decision_record import Ruling
from arena.events.models import Event
from arena.exports.bundle import describe_environment, write_bundle
from arena.exports.reproducing import BundleError, Reproduction, reproduce
from arena.judging.models import Exclusion
from arena.judging.recording import check_answers, record_judgment
from arena.judging.review.exclusions import exclude
from leaderboard.models import Snapshot
from tests.append_only import allow_deletion
from tests.exports.cast import Cast, make_stranger, vote
from tests.exports.test_bundle import current, published
from tests.factories import NOW, make_event, make_matchup
from tests.llmfao import SETTINGS, load_llmfao

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
Change = Callable[[list[dict]], None]


def judged_event(**fields) -> Event:
    """Enough of everything that moves a number: revisions, exclusions, controls, categories."""
    cast = Cast(**fields)
    cast.judge_all()
    for number in range(4):
        matchup = make_matchup(cast.event, cast.models)
        for outcome in (2, -1, 0, 1)[number:]:
            vote(make_stranger(cast.event), matchup, outcome, judged_at=NOW)
    revised = cast.judge(cast.ben, cast.first, "a2")
    answers = check_answers(revised.assignment, {"preference": "b1"})
    record_judgment(revised.assignment, answers, now=NOW + timedelta(seconds=5), replaces="0")
    outcast = make_stranger(cast.event)
    vote(outcast, cast.first, -2)
    exclude(outcast, Exclusion.Reason.RIGGING, Ruling(cast.organizer, NOW, "So decided."))
    return cast.event


def empty_database() -> None:
    """Take out everything a bundle could meet."""
    allow_deletion()
    for label in ("leaderboard", "judging", "events"):
        for model in apps.get_app_config(label).get_models(include_auto_created=True):
            model._default_manager.all()._raw_delete("default")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A published event's bundle; the database is empty again."""
    path = tmp_path / "fair.zip"
    write_bundle(current(published(judged_event())), path)
    empty_database()
    return path


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """The same without controls."""
    path = tmp_path / "fair.zip"
    write_bundle(current(judged_event()), path)
    empty_database()
    return path


def rewritten(path: Path, name: str, change: Change, *, sums: bool = True) -> Path:
    """The bundle with the rows of one file changed, and (unless told) its checksum with it."""
    with ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    lines = files[name].splitlines() if name.endswith(".jsonl") else [files[name]]
    rows = [json.loads(line) for line in lines]
    change(rows)
    files[name] = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    if sums:
        names = [name for name in files if name != "SHA256SUMS"]
        digests = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in names]
        files["SHA256SUMS"] = "".join(digests).encode()
    with ZipFile(path, "w") as archive:
        for file, content in files.items():
            archive.writestr(file, content)
    return path


def test_the_boards_come_out_the_same(bundle: Path) -> None:
    result = reproduce(bundle, NOW + timedelta(days=30))
    assert result.differences == []
    assert result.compared > 100
    assert result.changed_means == []


def test_so_they_do_without_controls(partial: Path) -> None:
    result = reproduce(partial, NOW)
    assert result.differences == []
    assert result.manifest["with_controls"] is False


def test_so_they_do_where_something_began_to_be_counted_later(bundle: Path) -> None:
    def forget(rows: list[dict]) -> None:
        assert {row.pop("code") for row in rows} == {0}

    result = reproduce(rewritten(bundle, "responses.jsonl", forget), NOW)
    assert result.differences == []


def test_so_they_do_where_a_column_was_added_later(bundle: Path) -> None:
    def forget(rows: list[dict]) -> None:
        for row in rows:
            del row["ties"]

    whole = reproduce(bundle, NOW).compared
    result = reproduce(rewritten(bundle, "ratings.jsonl", forget), NOW)
    assert (result.differences, result.lacking) == ([], ["ties"])
    assert 0 < result.compared < whole


def test_so_they_do_where_the_bundle_is_from_before_there_was_a_bias_panel(bundle: Path) -> None:
    def forget(rows: list[dict]) -> None:
        boards = rows[0]["details"]["boards"].values()
        assert [board.pop("bias") for board in boards if "bias" in board]

    whole = reproduce(bundle, NOW).compared
    result = reproduce(rewritten(bundle, "snapshot.jsonl", forget), NOW)
    assert (result.differences, result.lacking) == ([], ["bias"])
    assert 0 < result.compared < whole


def test_a_figure_of_the_bias_panel_is_compared(bundle: Path) -> None:
    def change(rows: list[dict]) -> None:
        (panel,) = (b["bias"] for b in rows[0]["details"]["boards"].values() if "bias" in b)
        panel["ties"]["share"] += 0.001

    (difference,) = reproduce(rewritten(bundle, "snapshot.jsonl", change), NOW).differences
    assert ".bias.ties.share: " in difference


def test_a_column_that_one_row_lacks_is_a_difference(bundle: Path) -> None:
    rewritten(bundle, "ratings.jsonl", lambda rows: rows[0].pop("ties"))
    (difference,) = reproduce(bundle, NOW).differences
    assert ".ties: 'nothing', here " in difference


def test_nothing_is_left_behind(bundle: Path) -> None:
    columns = Path(settings.VAR) / "columns"
    before = set(columns.iterdir())
    reproduce(bundle, NOW)
    assert not Event.objects.exists()
    assert not Snapshot.objects.exists()
    assert set(columns.iterdir()) == before


def test_a_rating_that_is_off_by_its_last_digit_is_found(bundle: Path) -> None:
    with ZipFile(bundle) as archive:
        true = json.loads(archive.read("ratings.jsonl").splitlines()[0])
    wrong = math.nextafter(true["strength"], math.inf)
    rewritten(bundle, "ratings.jsonl", lambda rows: rows[0].update(strength=wrong))
    result = reproduce(bundle, NOW)
    (difference,) = result.differences
    assert difference.endswith(f".strength: {wrong!r}, here {true['strength']!r}")
    with pytest.raises(CommandError, match=r"^NOT REPRODUCED: of .* these differ:\n  raw/"):
        call_command("reproduce", str(bundle), "--here")


def turn(rows: list[dict]) -> None:
    """Somebody turns the first vote round."""
    rows[0]["outcome"] = -rows[0]["outcome"]


def test_a_vote_that_was_turned_breaks_the_chain(bundle: Path) -> None:
    with pytest.raises(BundleError, match="chain breaks"):
        reproduce(rewritten(bundle, "answers.jsonl", turn), NOW)


def test_without_the_chain_it_shows_on_the_boards(partial: Path) -> None:
    result = reproduce(rewritten(partial, "answers.jsonl", turn), NOW)
    assert any(".wins: " in difference for difference in result.differences)


def test_an_exclusion_taken_out_is_found(bundle: Path) -> None:
    without = rewritten(bundle, "exclusions.jsonl", lambda rows: rows.pop())
    with pytest.raises(BundleError, match=r"breaks: Exclusion \d+ is not as the ledger"):
        reproduce(without, NOW)
    # A bundle from before there were entries has none, and it shows on the boards.
    result = reproduce(rewritten(without, "ledger_entries.jsonl", lambda rows: rows.clear()), NOW)
    assert any(difference.startswith("fingerprint: ") for difference in result.differences)


def test_a_competitor_missing_from_the_boards_is_found(bundle: Path) -> None:
    result = reproduce(rewritten(bundle, "ratings.jsonl", lambda rows: rows.pop()), NOW)
    assert {difference.split(": ")[1].split(",")[0] for difference in result.differences} == {
        "'nothing'"
    }


def test_a_changed_file_is_found_by_its_checksum(bundle: Path) -> None:
    rewritten(bundle, "answers.jsonl", turn, sums=False)
    with pytest.raises(BundleError, match=r"answers\.jsonl is not as it was written"):
        reproduce(bundle, NOW)


def test_a_file_too_many_is_found(bundle: Path) -> None:
    with ZipFile(bundle, "a") as archive:
        archive.writestr("more.jsonl", "{}")
    with pytest.raises(BundleError, match="not the ones"):
        reproduce(bundle, NOW)


def test_unknown_columns_are_refused(bundle: Path) -> None:
    rewritten(bundle, "event.jsonl", lambda rows: rows[0].update(secret="known"))
    with pytest.raises(BundleError, match=r"event\.jsonl has other columns"):
        reproduce(bundle, NOW)


def test_rows_that_point_nowhere_are_refused(bundle: Path) -> None:
    rewritten(bundle, "competitors.jsonl", lambda rows: rows.pop())
    with pytest.raises(BundleError, match="do not fit together"):
        reproduce(bundle, NOW)


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with pytest.raises(BundleError, match="no bundle"):
        reproduce(path, NOW)
    path.write_text("nothing")
    with pytest.raises(BundleError, match="no bundle"):
        reproduce(path, NOW)
    ZipFile(path, "w").close()
    with pytest.raises(BundleError, match="no bundle"):
        reproduce(path, NOW)


def test_a_database_in_use_is_not_touched(bundle: Path) -> None:
    event = make_event()
    with pytest.raises(CommandError, match="This database holds events"):
        call_command("reproduce", str(bundle), "--here")
    assert list(Event.objects.all()) == [event]


def test_other_means_are_named() -> None:
    older = Reproduction({"made_by": describe_environment() | {"numpy": "1.0"}}, 1)
    assert older.changed_means == [f"numpy: 1.0, here {describe_environment()['numpy']}"]


def run(bundle: Path) -> "subprocess.CompletedProcess[str]":
    """manage.py, as somebody types it."""
    command = [sys.executable, "manage.py", "reproduce", str(bundle)]
    return subprocess.run(command, capture_output=True, text=True, cwd=settings.ROOT, check=False)


def test_the_command_has_a_database_of_its_own(tmp_path: Path) -> None:
    """And says there what differs. Where nothing does, tests/served reads it."""
    path = tmp_path / "fair.zip"
    write_bundle(current(published(judged_event())), path)
    done = run(rewritten(path, "ratings.jsonl", lambda rows: rows[0].update(votes=99)))
    assert done.returncode == 1
    assert "NOT REPRODUCED" in done.stderr
    assert "fair (ledger position 20)" in done.stderr
    assert ".votes: 99, here " in done.stderr
    assert Event.objects.count() == 1


def test_the_published_votes_give_the_same_board_in_a_plain_shell(
    shared_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")  # its sums would depend on the processors
    event = make_event("llmfao", **SETTINGS)
    load_llmfao(event, shared_data, tmp_path)
    path = tmp_path / "llmfao.zip"
    snapshot = current(published(event))
    assert snapshot.judgments == 8_931
    write_bundle(snapshot, path)
    call_command("reproduce", str(path))
    assert capsys.readouterr().out.startswith("REPRODUCED: all ")


def off_by_rounding(rows: list[dict]) -> None:
    rows[0]["strength"] = math.nextafter(rows[0]["strength"], math.inf)


def made_elsewhere(rows: list[dict]) -> None:
    rows[0]["made_by"]["processor"] = "another"


def test_another_processor_may_round_differently(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewritten(bundle, "ratings.jsonl", off_by_rounding)
    rewritten(bundle, "manifest.json", made_elsewhere)
    result = reproduce(bundle, NOW)
    assert result.differences == []
    assert len(result.rounded) == 1
    call_command("reproduce", str(bundle), "--here")
    assert "the same but for rounding: 1 differ" in capsys.readouterr().out


def test_another_processor_does_not_excuse_more_than_rounding(bundle: Path) -> None:
    rewritten(bundle, "ratings.jsonl", lambda rows: rows[0].update(strength=0.123))
    rewritten(bundle, "manifest.json", made_elsewhere)
    (difference,) = reproduce(bundle, NOW).differences
    assert "0.123" in difference


def test_a_bundle_of_an_earlier_method_is_compared_in_what_both_share(bundle: Path) -> None:
    whole = reproduce(bundle, NOW).compared

    def age(rows: list[dict]) -> None:
        (manifest,) = rows
        del manifest["method"]
        manifest["made_by"]["method"] = 4

    def weigh_otherwise(rows: list[dict]) -> None:
        for row in rows:
            if row["weighting"] == "weighted" and row["strength"] is not None:
                row["strength"] += 0.5
                row["lower"] = row["upper"] = None

    earlier = rewritten(rewritten(bundle, "manifest.json", age), "ratings.jsonl", weigh_otherwise)
    result = reproduce(earlier, NOW)
    assert result.differences == []
    assert result.has_earlier_method
    assert whole / 3 < result.compared < whole

"""The ledger: every committed judgment once, in a chain that shows tampering."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from arena.judging.ledger import (
    get_ledger_head,
    seal_event,
    seal_waiting,
    sealing,
    verify_ledger,
)
from arena.judging.models import Answer, Judgment, LedgerBatch
from arena.judging.tasks import seal_ledgers
from tests.factories import (
    NOW,
    make_competitors,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchups,
)

pytestmark = pytest.mark.django_db


def judged_event(judgments: int = 5):
    event = make_event(overlap=9)
    models = make_competitors(event, 2)
    make_matchups(event, models, judgments)
    enrollment = make_enrollment(event)
    for number in range(judgments):
        make_judgment(enrollment, ["a2", "tie", "b1"][number % 3], comment="so")
    return event


def sequence(event) -> list[int]:
    rows = Judgment.objects.filter(event=event).order_by("id")
    return list(rows.values_list("ledger_seq", flat=True))


def test_seals_each_judgment_once_in_order() -> None:
    event = judged_event(5)
    assert seal_event(event.pk, NOW) == 5
    assert seal_event(event.pk, NOW) == 0
    assert sequence(event) == [1, 2, 3, 4, 5]
    assert get_ledger_head(event.pk) == 5
    make_judgment(make_enrollment(event))
    assert seal_event(event.pk, NOW) == 1
    assert get_ledger_head(event.pk) == 6
    assert verify_ledger(event.pk) is None


def test_events_have_ledgers_of_their_own() -> None:
    one, two = judged_event(2), judged_event(3)
    seal_ledgers()
    assert (sequence(one), sequence(two)) == ([1, 2], [1, 2, 3])


def test_a_large_import_leaves_the_others_their_turn(monkeypatch) -> None:
    monkeypatch.setattr(sealing, "BATCH_SIZE", 2)
    large, small, quiet = judged_event(7), judged_event(1), judged_event(1)
    seal_event(quiet.pk, NOW)
    turns = seal_waiting(NOW)
    assert [next(turns), next(turns)] == [(large.pk, 2), (small.pk, 1)]
    # Somebody judges while the import is being sealed.
    make_judgment(make_enrollment(quiet))
    assert list(turns) == [(large.pk, 2), (quiet.pk, 1), (large.pk, 2), (large.pk, 1)]
    assert list(seal_waiting(NOW)) == []


def test_more_than_a_batch_is_sealed_in_batches(monkeypatch) -> None:
    monkeypatch.setattr(sealing, "BATCH_SIZE", 2)
    event = judged_event(5)
    assert seal_event(event.pk, NOW) == 5
    assert list(LedgerBatch.objects.values_list("first_seq", "last_seq")) == [
        (1, 2),
        (3, 4),
        (5, 5),
    ]
    assert verify_ledger(event.pk) is None


@pytest.mark.parametrize("column", ["outcome", "both_bad", "first_on_left"])
def test_a_changed_answer_breaks_the_chain_where_it_stands(column: str, monkeypatch) -> None:
    monkeypatch.setattr(sealing, "BATCH_SIZE", 2)
    event = judged_event(6)
    seal_event(event.pk, NOW)
    tie = Answer.objects.get(judgment__ledger_seq=5, outcome=0)
    changed = {"outcome": 1, "both_bad": True, "first_on_left": not tie.first_on_left}
    Answer.objects.filter(pk=tie.pk).update(**{column: changed[column]})
    broken = verify_ledger(event.pk)
    assert broken is not None
    assert (broken.kind, broken.subject) == ("judgments", 5)
    assert str(broken) == "Judgment 5 of the ledger is not as it was sealed."


def test_a_deleted_or_reordered_judgment_breaks_the_chain() -> None:
    event = judged_event(4)
    seal_event(event.pk, NOW)
    second = Judgment.objects.get(ledger_seq=2)
    Judgment.objects.filter(pk=second.pk).update(ledger_seq=99)
    assert verify_ledger(event.pk) is not None


def test_erasing_free_text_leaves_the_chain_whole() -> None:
    event = judged_event(3)
    seal_event(event.pk, NOW)
    Answer.objects.filter(question__kind="text").update(value={"text": ""})
    assert verify_ledger(event.pk) is None


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_give_each_number_once() -> None:
    event = judged_event(30)

    def work(_: int) -> int:
        try:
            return seal_event(event.pk, NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        sealed = sum(pool.map(work, range(12)))
    assert sealed == 30
    assert sequence(event) == list(range(1, 31))
    assert verify_ledger(event.pk) is None

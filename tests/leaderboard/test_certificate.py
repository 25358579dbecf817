"""The winner's certificate: its parts, its margin, and who would have won by other scores."""

import pytest
from django.test import Client
from django.urls import reverse

from arena.events.models import Enrollment, Event
from arena.judging.models import Case
from leaderboard.models import Reliability, Standing, Winner
from leaderboard.results.certificate import build_certificate, count_margin
from tests.factories import NOW, make_enrollment, make_event, make_user

pytestmark = pytest.mark.django_db


def make_rated(event: Event, scored: int, on_controls: float, on_others: float) -> Enrollment:
    """Somebody with these lower limits, whose errors are nothing."""
    who = make_enrollment(event)
    known = dict.fromkeys(("passed", "left", "ties", "right"), 0)
    known |= {"overall_error": 0.0, "on_controls_error": 0.0, "on_others_error": 0.0}
    Reliability.objects.create(
        event=event,
        enrollment=who,
        judgments=scored,
        controls=20,
        reads=1.0,
        weight=4096,
        overall=1.0,
        on_controls=on_controls,
        on_others=on_others,
        rig_evidence=0.0,
        side_evidence=0.0,
        **known,
    )
    quality = round(1_000_000 * max(min(on_controls, on_others), 0.0))
    Standing.objects.create(
        event=event,
        enrollment=who,
        judgments=scored + 10,
        simulated=0,
        scored=scored,
        quality=quality,
        score=scored * quality,
    )
    return who


class Contest:
    """A winner, a second, one with volume alone, and one who is careful with controls only."""

    def __init__(self) -> None:
        self.event = make_event("fair", organizer=make_user("olga"), state=Event.State.PUBLISHED)
        self.first = make_rated(self.event, 200, 0.9, 0.8)
        self.second = make_rated(self.event, 190, 0.8, 0.82)
        self.busy = make_rated(self.event, 900, 0.05, 0.02)
        self.aware = make_rated(self.event, 300, 1.0, 0.0)
        self.winner = Winner.objects.create(
            event=self.event,
            enrollment=self.first,
            confirmed_at=NOW,
            confirmed_by=make_user("rita"),
        )


def test_the_parts_and_the_margin() -> None:
    contest = Contest()
    found = build_certificate(contest.event, contest.winner)
    assert found is not None
    assert (found.own.standing.scored, found.quality, found.score) == (200, 0.8, 160.0)
    assert (found.second, found.placed) == (contest.second, 3)
    assert found.margin is not None
    # Without so many the second leads; with one more, not yet.
    assert (200 - found.margin) * 0.8 < 190 * 0.8 <= (200 - found.margin + 1) * 0.8
    assert (found.by_volume, found.by_controls) == (contest.busy, contest.aware)
    assert found.by_others == contest.first


@pytest.mark.parametrize(("scored", "quality", "second"), [(10, 3, 29), (10, 3, 30), (7, 5, 1)])
def test_the_margin_is_the_smallest(scored: int, quality: int, second: int) -> None:
    one, other = Standing(scored=scored, quality=quality), Standing(score=second)
    margin = count_margin(one, other)
    assert (scored - margin) * quality < second
    assert margin == 1 or (scored - margin + 1) * quality >= second


def test_the_page_is_a_certificate(client: Client) -> None:
    contest = Contest()
    Case.objects.create(
        event=contest.event,
        enrollment=contest.aware,
        reason=Case.Reason.GAP,
        state=Case.State.DISMISSED,
        opened_at=NOW,
        decided_at=NOW,
    )
    page = client.get(reverse("leaderboard:winner", args=["fair"])).content.decode()
    words = " ".join(page.split())
    for said in ("200 · min(0.900, 0.800) = 160.0", "Confirmed by", "None is open about"):
        assert said in words
    for name in (contest.second, contest.busy, contest.aware):
        assert name.pseudonym in words
    assert "1 question came of it: dismissed 1" in words
    Case.objects.create(
        event=contest.event,
        enrollment=contest.first,
        reason=Case.Reason.RIGGING,
        opened_at=NOW,
    )
    page = client.get(reverse("leaderboard:winner", args=["fair"])).content.decode()
    assert "None is open about" not in page
    assert "A question about the winner is open" in page


def test_ones_own_parts_are_for_oneself(client: Client) -> None:
    contest = Contest()
    client.force_login(contest.second.user)
    page = " ".join(client.get(reverse("judging:me", args=["fair"])).content.decode().split())
    assert "190 judgments × the smaller of 0.80 (controls) and 0.82 (all else)" in page
    board = client.get(reverse("leaderboard:contributors", args=["fair"])).content.decode()
    assert "0.82" not in board


def test_somebody_without_a_score_has_no_certificate() -> None:
    event = make_event("bare")
    winner = Winner.objects.create(event=event, enrollment=make_enrollment(event), confirmed_at=NOW)
    assert build_certificate(event, winner) is None

"""The contributor board and my page: what is shown while the event runs, and once it is over."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from arena.events.decision_record import Ruling
from arena.events.models import Enrollment, Event
from arena.judging.models import Exclusion
from arena.judging.review.exclusions import exclude
from leaderboard.contributors.places import build_places, place_of, standings_of
from leaderboard.models import Standing
from tests.factories import NOW, make_enrollment, make_event, make_user

pytestmark = pytest.mark.django_db


def make_standing(who: Enrollment, judgments: int, **fields: object) -> Standing:
    """A standing as the refresh writes it; quality in millionths."""
    quality = fields.get("quality")
    score = judgments * quality if isinstance(quality, int) else None
    return Standing.objects.create(
        event=who.event,
        enrollment=who,
        judgments=judgments,
        **({"simulated": 0, "score": score} | fields),
    )


class Ladder:
    """Four contributors: two rated, one with too few controls, one who has judged nothing."""

    def __init__(self, state: str = Event.State.OPEN, **settings: object) -> None:
        self.event = make_event(state=state, **settings)
        self.best, self.busy, self.new, self.idle = (make_enrollment(self.event) for _ in range(4))
        # Shown ranks lag behind: by the exact score the two are the other way round.
        make_standing(self.best, 200, quality=700_000, rank=2, band=4)
        make_standing(self.busy, 310, quality=310_000, rank=1, band=3)
        make_standing(self.new, 1234, simulated=0)

    def page(self, who: Enrollment | None = None, name: str = "leaderboard:contributors") -> str:
        client = Client()
        if who is not None:
            assert who.user is not None
            client.force_login(who.user)
        response = client.get(reverse(name, args=[self.event.slug]))
        assert response.status_code == 200
        return response.content.decode()


def in_order(page: str, *words: str) -> bool:
    places = [page.index(word) for word in words]
    return places == sorted(places)


@pytest.mark.parametrize("state", [Event.State.OPEN, Event.State.FROZEN])
def test_while_it_runs_there_are_counts_bands_and_steps(state: str) -> None:
    ladder = Ladder(state)
    page = ladder.page()
    names = [who.pseudonym for who in (ladder.busy, ladder.best, ladder.new)]
    assert in_order(page, *names)
    assert "Very good" in page
    assert "Good" in page
    assert "Not rated yet" in page
    assert "1,234" in page
    assert ladder.idle.pseudonym not in page
    for exact in ("0.700", "0.310", "140.0", "96.1"):
        assert exact not in page
    assert '<th class="num" scope="col">Score' not in page


@pytest.mark.parametrize("state", [Event.State.CLOSED, Event.State.PUBLISHED])
def test_when_it_is_over_scores_are_exact(state: str) -> None:
    ladder = Ladder(state)
    page = ladder.page()
    assert in_order(page, ladder.best.pseudonym, ladder.busy.pseudonym, ladder.new.pseudonym)
    for exact in ("Very good", "0.700", "140.0", "0.310", "96.1"):
        assert exact in page


def test_ones_own_row_is_pinned_once() -> None:
    ladder = Ladder()
    page = ladder.page(ladder.new)
    assert in_order(page, ladder.new.pseudonym, ladder.busy.pseudonym)
    assert page.count(ladder.new.pseudonym) == 1
    assert page.count('class="own"') == 1
    assert 'class="own"' not in ladder.page(ladder.idle)


def test_a_chosen_name_stands_for_the_pseudonym_and_is_escaped() -> None:
    ladder = Ladder()
    assert ladder.best.user is not None
    ladder.best.user.display_name = "<b>Ada</b>"
    ladder.best.user.save()
    page = ladder.page()
    assert "&lt;b&gt;Ada&lt;/b&gt;" in page
    assert "<b>Ada" not in page
    assert ladder.best.pseudonym not in page


def test_simulated_contributors_and_machines_are_marked() -> None:
    ladder = Ladder()
    assert "simulated" not in ladder.page().casefold()
    Standing.objects.filter(enrollment=ladder.new).update(simulated=1234)
    Enrollment.objects.filter(pk=ladder.busy.pk).update(kind=Enrollment.Kind.MACHINE)
    page = ladder.page()
    assert '<small class="muted">simulated</small>' in page
    assert '<small class="muted">machine</small>' in page
    assert "1,234 of the judgments" in page or "1234 of the judgments" in page


def test_how_it_is_scored_is_one_click_away() -> None:
    ladder = Ladder()
    assert "How this is scored" in ladder.page()
    address = reverse("leaderboard:method", args=[ladder.event.slug])
    assert f"{address}#contributors" in ladder.page()
    assert 'id="contributors"' in ladder.page(name="leaderboard:method")


def test_an_empty_board_says_so() -> None:
    event = make_event()
    page = Client().get(reverse("leaderboard:contributors", args=[event.slug]))
    assert b"No contributors yet" in page.content


def test_a_private_events_board_is_not_there_for_outsiders() -> None:
    ladder = Ladder(is_private=True)
    url = reverse("leaderboard:contributors", args=[ladder.event.slug])
    outsider = Client()
    outsider.force_login(make_user())
    assert Client().get(url).status_code == 404
    assert outsider.get(url).status_code == 404
    assert ladder.best.pseudonym in ladder.page(ladder.new)


def test_equal_scores_share_a_rank_across_pages() -> None:
    event = make_event(state=Event.State.CLOSED)
    qualities = [900_000, 800_000, 800_000, 800_000, 500_000, None]
    for quality in qualities:
        make_standing(make_enrollment(event), 100, quality=quality)
    ordered = list(standings_of(event))
    whole = [place.rank for place in build_places(event, ordered)]
    assert whole == [1, 2, 2, 2, 5, None]
    for start in range(6):
        assert [p.rank for p in build_places(event, ordered[start:], start)] == whole[start:]
        own = place_of(event, ordered[start].enrollment)
        assert own is not None
        assert own.rank == whole[start]


def test_a_page_of_a_hundred_takes_a_handful_of_queries() -> None:
    event = make_event(state=Event.State.CLOSED)
    for number in range(105):
        make_standing(make_enrollment(event), number + 1, quality=500_000)
    url = reverse("leaderboard:contributors", args=[event.slug])
    Client().get(url)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert Client().get(url).status_code == 200
    assert len(queries) <= 7
    assert b"Page 1 of 2" in Client().get(url).content


# --- my page -----------------------------------------------------------------------------------
def test_my_page_says_where_i_stand() -> None:
    ladder = Ladder()
    page = ladder.page(ladder.best, "judging:me")
    facts = re.search(r'<dl class="facts">.*?</dl>', page, re.DOTALL)
    assert facts is not None
    words = " ".join(re.sub(r"<[^>]*>", " ", facts[0]).split())
    assert words.startswith("Judged 0 Accepted 200 Place 2 Quality Very good")
    assert "0.700" not in page
    assert reverse("events:name") in page
    assert reverse("judging:leave") in page
    assert "Not rated yet" in ladder.page(ladder.new, "judging:me")
    assert "Accepted" not in ladder.page(ladder.idle, "judging:me")


def test_my_page_is_exact_when_the_event_is_over() -> None:
    ladder = Ladder(Event.State.CLOSED)
    page = ladder.page(ladder.best, "judging:me")
    assert "Very good" in page
    assert "0.700" in page


def test_my_page_is_for_contributors_alone() -> None:
    ladder = Ladder()
    url = reverse("judging:me", args=[ladder.event.slug])
    assert url == f"/events/{ladder.event.slug}/me/"
    anonymous = Client().get(url)
    assert anonymous.status_code == 302
    assert anonymous.headers["Location"].startswith(reverse("account_login"))
    for user in (make_user(), make_enrollment(make_event()).user):
        outsider = Client()
        outsider.force_login(user)
        joining = reverse("events:join", args=[ladder.event.slug])
        assert outsider.get(url).headers["Location"] == joining


def test_whoever_is_excluded_sees_it_in_their_receipts_and_not_on_the_board() -> None:
    ladder = Ladder()
    exclude(ladder.new, Exclusion.Reason.RIGGING, Ruling(None, NOW + timedelta(hours=1)))
    Standing.objects.filter(enrollment=ladder.new).delete()  # as the next refresh does
    assert ladder.new.pseudonym not in ladder.page()
    assert "Accepted" not in ladder.page(ladder.new, "judging:me")

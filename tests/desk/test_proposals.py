"""Decisions that take two people: proposed on their pages, and answered in the queue."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.http import HttpResponse
from django.test import Client

from arena.events.models import Act, Decision, Proposal
from arena.judging.models import Case, Exclusion
from leaderboard.models import Winner
from tests.desk.cast import signed_in, url
from tests.factories import (
    NOW,
    make_control,
    make_enrollment,
    make_event,
    make_membership,
    make_user,
)
from tests.test_winner import Final

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


class Two(Final):
    """A closed event with an organizer and a reviewer, who answers what the organizer proposes."""

    def __init__(self) -> None:
        super().__init__()
        self.reviewer = make_user("rita")
        make_membership(self.event, self.reviewer)
        self.one, self.other = signed_in(self.organizer), signed_in(self.reviewer)

    def post(self, client: Client, name: str, *args: object, **fields: Any) -> str:
        address = url(name, self.event, *args)
        return words(client.post(address, fields | {"sure": "yes"}, follow=True))

    def get(self, client: Client, name: str, *args: object) -> str:
        response = client.get(url(name, self.event, *args))
        assert response.status_code == 200
        return words(response)

    def answer(self, client: Client, act: str) -> str:
        return self.post(client, "proposal", Proposal.objects.latest("pk").uuid, act=act)

    def propose_winner(self) -> str:
        public_id = str(self.first.public_id)
        return self.post(self.one, "winner", contributor=public_id, note="Read all of them.")


def words(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def two() -> Two:
    return Two()


def test_a_reviewer_confirms_the_winner_whom_an_organizer_proposes(two: Two) -> None:
    assert "this takes two people" in two.get(two.one, "winner")
    page = two.propose_winner()
    assert "Somebody else has to confirm it" in page
    assert "waits for a second person" in page
    assert not Winner.objects.exists()
    assert two.other.get(url("winner", two.event)).status_code == 404
    page = two.get(two.other, "proposal", Proposal.objects.get().uuid)
    assert f"Confirm the winner: {two.first.pseudonym}" in page
    assert "Read all of them." in page
    assert two.organizer.colleague_name in page
    assert "Confirmed, and done." in two.answer(two.other, "confirm")
    assert Winner.objects.get().enrollment == two.first
    decision = Decision.objects.get()
    assert (decision.act, decision.note) == (Act.WINNER_CONFIRMED, "Read all of them.")
    assert decision.by
    assert decision.confirmed_by
    assert decision.by != decision.confirmed_by


def test_nobody_confirms_their_own_proposal(two: Two) -> None:
    two.propose_winner()
    page = two.get(two.one, "proposal", Proposal.objects.get().uuid)
    assert "Withdraw the proposal" in page
    assert 'value="confirm"' not in page
    assert "Somebody else has to confirm this." in two.answer(two.one, "confirm")
    assert not Winner.objects.exists()
    assert "Withdrawn." in two.answer(two.one, "decline")
    assert Proposal.objects.get().state == Proposal.State.WITHDRAWN
    assert not Decision.objects.exists()


def test_a_declined_proposal_changes_nothing(two: Two) -> None:
    two.propose_winner()
    assert "Declined. Nothing was changed." in two.answer(two.other, "decline")
    assert "answered already" in two.answer(two.other, "confirm")
    assert not Winner.objects.exists()
    assert not Decision.objects.exists()
    page = two.get(two.one, "proposal", Proposal.objects.get().uuid)
    assert "Declined" in page
    assert "rita" in page


def test_what_cannot_be_done_any_more_goes_on_waiting(two: Two) -> None:
    two.propose_winner()
    Case.objects.create(event=two.event, enrollment=two.first, reason="review", opened_at=NOW)
    assert "A case about them is open." in two.answer(two.other, "confirm")
    assert Proposal.objects.get().state == Proposal.State.WAITING


def test_the_winner_is_withdrawn_by_two(two: Two) -> None:
    two.propose_winner()
    two.answer(two.other, "confirm")
    assert "waits for a second person" in two.post(two.one, "winner", act="withdraw", note="Oh.")
    assert Winner.objects.exists()
    assert "Withdraw the winner" in two.get(
        two.other, "proposal", Proposal.objects.latest("pk").uuid
    )
    two.answer(two.other, "confirm")
    assert not Winner.objects.exists()


def test_excluding_somebody_at_the_top_waits_on_their_page(two: Two) -> None:
    said = {"act": "exclude", "reason": "unreliable", "note": "Clicks."}
    assert "waits for a second person" in two.post(
        two.other, "contributor", two.first.public_id, **said
    )
    assert not Exclusion.objects.exists()
    page = two.get(two.one, "proposal", Proposal.objects.get().uuid)
    assert "All of their judgments" in page
    assert "Not reliable enough" in page
    # Others are excluded by one.
    assert "Excluded." in two.post(two.other, "contributor", two.beginner.public_id, **said)
    two.answer(two.one, "confirm")
    assert Exclusion.objects.in_force().filter(enrollment=two.first).exists()


def test_a_case_about_somebody_at_the_top_waits_open(two: Two) -> None:
    case = Case.objects.create(
        event=two.event, enrollment=two.first, reason="review", opened_at=NOW
    )
    seen = two.other.get(url("case", two.event, case.uuid)).context["seen"]
    said = {"act": "exclude", "scope": "all", "note": "Clicks.", "seen": seen}
    assert "Somebody else has to confirm it" in two.post(two.other, "case", case.uuid, **said)
    page = two.get(two.one, "case", case.uuid)
    assert "waits for a second person" in page
    assert url("case", two.event, case.uuid) in two.get(
        two.one, "proposal", Proposal.objects.get().uuid
    )
    two.answer(two.one, "confirm")
    case.refresh_from_db()
    assert case.state == Case.State.EXCLUDED
    assert Decision.objects.get().seen


def test_a_key_is_changed_by_two(two: Two) -> None:
    matchup = make_control(two.event)
    record = matchup.record.external_id
    said = {"key": matchup.key, "act": "change", "expected": "b", "reason": "The other one."}
    page = two.post(two.one, "matchup", record, **said)
    assert "waits for a second person" in page
    assert "Change the key" not in page
    assert two.other.post(url("matchup", two.event, record), said).status_code == 404
    page = two.get(two.other, "proposal", Proposal.objects.get().uuid)
    assert "Right answer now" in page
    first, second = (place.response.text for place in matchup.places.order_by("position"))
    assert page.index(first) < page.index(second)
    two.answer(two.other, "confirm")
    matchup.control.refresh_from_db()
    assert matchup.control.key == {"sign": -1}
    assert "the first response → the second response" in two.get(two.one, "decisions")


def test_one_person_of_staff_decides_alone_and_is_told_so() -> None:
    final = Final()
    page = words(final.desk().get(final.url))
    assert "you are its only organizer or reviewer" in page
    assert "is confirmed" in final.confirm(final.first)
    assert Decision.objects.get().is_alone


def test_proposals_are_for_staff_who_do_not_judge_here(two: Two) -> None:
    two.propose_winner()
    address = url("proposal", two.event, Proposal.objects.get().uuid)
    assert two.other.get(address).status_code == 200
    for client in (signed_in(two.first.user), signed_in(make_user())):
        assert client.get(address).status_code == 404
        assert client.post(address, {"act": "confirm"}).status_code == 404
    make_enrollment(two.event, two.reviewer)
    assert two.other.post(address, {"act": "confirm"}).status_code == 404
    foreign = make_user()
    make_membership(make_event(), foreign)
    assert signed_in(foreign).get(address).status_code == 404
    assert not Winner.objects.exists()


def test_a_reason_is_wanted_where_a_matchup_is_retired(two: Two) -> None:
    matchup = make_control(two.event)
    said = {"key": matchup.key, "act": "retire"}
    assert "Say why." in two.post(two.one, "matchup", matchup.record.external_id, **said)
    matchup.refresh_from_db()
    assert matchup.retired_at is None
    page = two.get(two.one, "record", matchup.record.external_id)
    assert 'name="reason" maxlength="1000" required' in page


def test_a_second_account_of_one_mailbox_is_no_second_person(two: Two) -> None:
    for user, address in ((two.organizer, "olga@gmail.com"), (two.reviewer, "ol.ga+2@gmail.com")):
        EmailAddress.objects.create(user=user, email=address, verified=True)
    two.propose_winner()
    assert "Somebody else has to confirm this." in two.answer(two.other, "confirm")
    assert not Winner.objects.exists()
    EmailAddress.objects.filter(user=two.reviewer).update(email="rita@gmail.com")
    assert "Confirmed, and done." in two.answer(two.other, "confirm")

"""Whoever decides leaves one row; and what takes two people is done by no one alone."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.desk.carrying import carry
from arena.errors import ArenaError
from arena.events.lifecycle.decisions import confirm
from arena.events.models import Decision, Enrollment, Event, Proposal, Registration
from tests.desk.deciding import GUARDED, OPEN, REFUSED, Scene, Way
from tests.factories import make_enrollment, make_membership

pytestmark = [pytest.mark.django_db, pytest.mark.all_cases]


@pytest.mark.parametrize("name", OPEN)
def test_each_way_leaves_one_decision_however_often_it_is_asked_for(
    tmp_path: Path, name: str
) -> None:
    way, scene = OPEN[name], Scene(tmp_path)
    way.before(scene)
    before = set(Decision.objects.values_list("pk", flat=True))
    way.do(scene, scene.client())
    made = list(Decision.objects.exclude(pk__in=before))
    assert {decision.act for decision in made} == {way.act}
    assert len(made) == 1
    assert all(decision.event == scene.event and decision.note for decision in made)
    # The same request again, from the same page and from a fresh one.
    way.do(scene, scene.client())
    assert Decision.objects.exclude(pk__in=before).count() == len(made)


def close(tmp_path: Path, way: Way, *, staff: int = 2) -> Scene:
    """An event that is over, and registered so many people of staff."""
    scene = Scene(tmp_path, staff=staff)
    is_of_running_event = way in REFUSED.values()
    if is_of_running_event:
        way.before(scene)
    Registration.objects.create(
        event=scene.event,
        registered_at=timezone.now(),
        content=f'{{"staff": {{"people": {staff}}}}}',
        digest="",
        keys_key="",
    )
    scene.close()
    if not is_of_running_event:
        way.before(scene)
    return scene


@pytest.mark.parametrize("name", GUARDED)
def test_after_the_close_two_people_do_it(tmp_path: Path, name: str) -> None:
    way = GUARDED[name]
    scene = close(tmp_path, way)
    before, rows = Decision.objects.count(), scene.rows()
    way.do(scene, scene.client())
    assert scene.rows() == rows
    confirm(Proposal.objects.get(), carry, by=scene.staff[1], now=timezone.now())
    assert scene.rows() != rows
    assert Decision.objects.count() == before + 1
    decision = Decision.objects.latest("pk")
    assert (decision.act, decision.is_alone) == (way.act, False)
    assert decision.by
    assert decision.confirmed_by not in ("", decision.by)


@pytest.mark.parametrize("name", GUARDED)
def test_where_there_is_one_person_that_one_does_it_alone(tmp_path: Path, name: str) -> None:
    way = GUARDED[name]
    scene = close(tmp_path, way, staff=1)
    before, rows = Decision.objects.count(), scene.rows()
    way.do(scene, scene.client())
    assert scene.rows() != rows
    decision = Decision.objects.latest("pk")
    assert (decision.act, decision.is_alone, decision.confirmed_by) == (way.act, True, "")
    assert Decision.objects.count() == before + 1
    assert not Proposal.objects.exists()


# --- one person alone ----------------------------------------------------------------------------
def ask_again(scene: Scene, way: Way) -> None:
    for _ in range(3):
        way.do(scene, scene.client())


def confirm_in_another_session(scene: Scene, way: Way) -> None:
    """The same person, signed in a second time."""
    way.do(scene, scene.client())
    for proposal in Proposal.objects.waiting():
        with pytest.raises(ArenaError):
            confirm(proposal, carry, by=scene.organizer, now=timezone.now())
    way.do(scene, scene.client())


def remove_the_other(scene: Scene, way: Way) -> None:
    """The other member of the staff is removed first."""
    other = scene.staff[1].username
    address = reverse("events:remove", args=[scene.event.slug])
    scene.client().post(address, {"username": other, "sure": "yes"})
    assert scene.event.memberships.get().user == scene.organizer
    way.do(scene, scene.client())


def confirm_by_a_judging_account(scene: Scene, way: Way) -> None:
    """A second account, made a reviewer, that has judged in the event."""
    second = make_enrollment(scene.event).user
    assert second is not None
    make_membership(scene.event, second)
    way.do(scene, scene.client())
    for proposal in Proposal.objects.waiting():
        with pytest.raises(ArenaError):
            confirm(proposal, carry, by=second, now=timezone.now())


def propose_by_a_judging_account(scene: Scene, way: Way) -> None:
    """The same the other way round: it proposes, and the organizer confirms."""
    second = make_enrollment(scene.event).user
    assert second is not None
    make_membership(scene.event, second, "organizer")
    way.do(scene, scene.client(second))
    for proposal in Proposal.objects.waiting():
        with pytest.raises(ArenaError):
            confirm(proposal, carry, by=scene.organizer, now=timezone.now())


def confirm_by_an_outsider(scene: Scene, way: Way) -> None:
    """Somebody of no office."""
    outsider = Enrollment.objects.get(pk=make_enrollment(scene.event).pk).user
    assert outsider is not None
    Enrollment.objects.filter(user=outsider).delete()
    way.do(scene, scene.client())
    for proposal in Proposal.objects.waiting():
        with pytest.raises(ArenaError):
            confirm(proposal, carry, by=outsider, now=timezone.now())


TRICKS = (
    ask_again,
    confirm_in_another_session,
    remove_the_other,
    confirm_by_a_judging_account,
    propose_by_a_judging_account,
    confirm_by_an_outsider,
)


@pytest.mark.parametrize("name", GUARDED)
def test_no_trick_of_one_person_gets_it_through(tmp_path: Path, name: str) -> None:
    """Each trick is tried where the ones before it have failed."""
    way = GUARDED[name]
    scene = close(tmp_path, way)
    before, rows = Decision.objects.count(), scene.rows()
    for trick in TRICKS:
        trick(scene, way)
        assert scene.rows() == rows, trick.__name__
        assert Decision.objects.count() == before, trick.__name__
    assert Proposal.objects.waiting().count() == 1


@pytest.mark.parametrize("name", REFUSED)
def test_no_import_and_no_button_sets_keys_after_the_close(tmp_path: Path, name: str) -> None:
    way = REFUSED[name]
    scene = close(tmp_path, way)
    before, rows = Decision.objects.count(), scene.rows()
    for _ in range(2):
        way.do(scene, scene.client())
        assert scene.rows() == rows
        assert Decision.objects.count() == before


def test_what_is_confirmed_is_done_once(tmp_path: Path) -> None:
    way = GUARDED["contributor excluded"]
    scene = close(tmp_path, way)
    way.do(scene, scene.client())
    proposal = Proposal.objects.get()
    confirm(proposal, carry, by=scene.staff[1], now=timezone.now())
    with pytest.raises(ArenaError):
        confirm(proposal, carry, by=scene.staff[1], now=timezone.now())
    assert Decision.objects.filter(act=way.act).count() == 1


def test_a_visitor_decides_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    rows, stated = scene.rows(), Event.objects.values().get(pk=scene.event.pk)
    for name in ("key changed", "contributor excluded", "event changed", "closed by hand"):
        for client in (Client(), scene.client(scene.best.user)):
            OPEN[name].do(scene, client)
    assert scene.rows() == rows
    assert Event.objects.values().get(pk=scene.event.pk) == stated
    assert not Decision.objects.exists()

"""Contributors on the desk: the list, its states and its file, and a person's page."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from arena.events.models import Membership
from arena.judging.models import Case
from leaderboard.contributors import positions
from leaderboard.models import Reliability
from tests.factories import NOW, make_enrollment, make_user
from tests.leaderboard.test_reliability import Readers
from tests.leaderboard.votes import refresh

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)


class Scene:
    """Six who read and one who clicks, seen by a reviewer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(positions, "STEP", 10)
        self.crowd = Readers(slug="fair")
        self.clicker = self.crowd.clicker()
        self.event = self.crowd.event
        refresh(self.event)
        self.reviewer = make_user("rita")
        Membership.objects.create(
            event=self.event, user=self.reviewer, role=Membership.Role.REVIEWER
        )
        self.client = Client()
        self.client.force_login(self.reviewer)

    def get(self, name: str, *args: object, query: str = "") -> str:
        response = self.client.get(reverse(f"desk:{name}", args=["fair", *args]) + query)
        assert response.status_code == 200
        return " ".join(response.content.decode().split())

    def post(self, **fields: object) -> str:
        address = reverse("desk:contributor", args=["fair", self.clicker.public_id])
        response = self.client.post(address, fields, follow=True)
        assert response.status_code == 200
        return " ".join(response.content.decode().split())


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def test_the_list_sorts_by_every_column(scene: Scene) -> None:
    page = scene.get("contributors", query="?sort=r")
    names = [judge.pseudonym for judge in scene.crowd.judges]
    first = page.index(scene.clicker.pseudonym)
    assert all(first < page.index(name) for name in names)
    page = scene.get("contributors", query="?sort=-r")
    assert all(page.index(scene.clicker.pseudonym) > page.index(name) for name in names)
    assert 'aria-sort="descending"' in page
    for column in ("judged", "controls", "reads", "agreement", "left", "ties", "pace", "cases"):
        assert scene.clicker.pseudonym in scene.get("contributors", query=f"?sort={column}")
    assert scene.clicker.pseudonym in scene.get("contributors", query="?sort=nonsense")


def test_people_are_found_by_name(scene: Scene) -> None:
    page = scene.get("contributors", query=f"?q={scene.clicker.pseudonym}")
    assert scene.clicker.pseudonym in page
    assert scene.crowd.judges[0].pseudonym not in page
    assert "Nobody has this name" in scene.get("contributors", query="?q=zzz")


def test_the_file_has_everybody_and_is_for_staff(scene: Scene, client: Client) -> None:
    address = reverse("desk:contributors_csv", args=["fair"])
    rows = list(csv.DictReader(io.StringIO(scene.client.get(address).content.decode())))
    by_name = {row["contributor"]: row for row in rows}
    assert len(by_name) == 7
    clicker = by_name[scene.clicker.pseudonym]
    assert (clicker["judgments"], clicker["controls"]) == (
        "22",
        str(scene.clicker.reliability.controls),
    )
    assert float(clicker["reliability_lower"]) < float(clicker["reliability"])
    client.force_login(scene.crowd.judges[0].user)
    assert client.get(address).status_code == 404


def test_a_persons_page_shows_the_evidence_and_keeps_it_after_an_exclusion(scene: Scene) -> None:
    address = (scene.clicker.public_id,)
    page = scene.get("contributor", *address)
    assert "times as likely from somebody who" in page
    assert "Controls" in page
    assert "all else" in page
    page = scene.post(act="exclude", reason="unreliable", note="Clicks.")
    assert "Excluded." in page
    refresh(scene.event, LATER)
    page = scene.get("contributor", *address)
    assert "times as likely from somebody who" in page
    case = Case.objects.get(enrollment=scene.clicker)
    assert case.state == Case.State.EXCLUDED
    assert "Clicks." in page


def test_no_page_of_theirs_speaks_of_a_case(scene: Scene, client: Client) -> None:
    Case.objects.create(
        event=scene.event,
        enrollment=scene.clicker,
        reason=Case.Reason.RIGGING,
        evidence={"rig_evidence": 20.0, "model": "Model", "lifts": True},
        opened_at=NOW,
    )
    client.force_login(scene.clicker.user)
    for name in ("judging:me", "leaderboard:contributors", "leaderboard:board", "events:event"):
        page = client.get(reverse(name, args=["fair"])).content.decode()
        assert "lifts" not in page
        assert "Open case" not in page
    assert client.get(reverse("desk:review", args=["fair"])).status_code == 404


def test_the_list_says_and_filters_who_reads(scene: Scene) -> None:
    """Thresholds: leaderboard/contributors/states.py."""
    known = scene.clicker.reliability
    reader = scene.crowd.judges[0]
    Reliability.objects.update(controls=5, passed=3, reads=0.95, overall=1.0, overall_error=0.1)
    Reliability.objects.filter(pk=known.pk).update(reads=0.1, overall=0.1, overall_error=0.2)
    Reliability.objects.filter(enrollment=scene.crowd.judges[1]).update(overall_error=0.4)
    Reliability.objects.filter(enrollment=scene.crowd.judges[2]).update(controls=2, passed=2)
    expected = {
        "does_not_read": {scene.clicker.pseudonym},
        "unclear": {scene.crowd.judges[1].pseudonym},
        "not_rated": {scene.crowd.judges[2].pseudonym},
        "reads": {reader.pseudonym, *(judge.pseudonym for judge in scene.crowd.judges[3:])},
    }
    address = reverse("desk:contributors_csv", args=["fair"])
    told = list(csv.DictReader(io.StringIO(scene.client.get(address).content.decode())))
    everybody = set().union(*expected.values())
    for state, names in expected.items():
        page = scene.get("contributors", query=f"?state={state}")
        assert {name for name in everybody if f">{name}<" in page} == names
        assert {row["contributor"] for row in told if row["state"] == state} == names
    page = scene.get("contributors", query="?sort=state")
    first, last = scene.clicker.pseudonym, scene.crowd.judges[2].pseudonym
    assert all(page.index(first) <= page.index(name) <= page.index(last) for name in everybody)
    Reliability.objects.all().delete()
    assert "Nobody is in this state." in scene.get("contributors", query="?state=unclear")


def test_whoever_judges_here_sees_nobody(scene: Scene) -> None:
    """A member of staff with a place among the contributors reads no one's evidence."""
    addresses = [
        reverse("desk:contributors", args=["fair"]),
        reverse("desk:contributors_csv", args=["fair"]),
        reverse("desk:contributor", args=["fair", scene.clicker.public_id]),
    ]
    assert {scene.client.get(address).status_code for address in addresses} == {200}
    make_enrollment(scene.event, scene.reviewer)
    assert {scene.client.get(address).status_code for address in addresses} == {404}
    overview = scene.get("overview")
    assert not [address for address in addresses if address in overview]


def test_the_list_and_its_file_hold_no_address(scene: Scene) -> None:
    """However many people there are, the list takes the same statements."""
    user = scene.crowd.judges[0].user
    assert user is not None
    user.username = user.email = "someone@mail.example"
    user.save()
    for name in ("contributors", "contributors_csv"):
        assert "mail.example" not in scene.get(name)
    assert "mail.example" not in scene.get("contributor", scene.crowd.judges[0].public_id)
    address = reverse("desk:contributors", args=["fair"])
    with CaptureQueriesContext(connection) as before:
        scene.client.get(address)
    for _ in range(5):
        make_enrollment(scene.event)
    with CaptureQueriesContext(connection) as after:
        scene.client.get(address)
    assert len(before) == len(after)

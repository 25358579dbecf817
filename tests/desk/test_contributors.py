"""Contributors on the desk: the list, a person's page with its evidence, and cases."""

import csv
import io
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from arena.events.models import Membership
from arena.judging.models import Case, Exclusion
from leaderboard.contributors import positions
from tests.factories import NOW, make_user
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


def test_a_case_is_listed_and_decided_with_a_reason(scene: Scene) -> None:
    case = Case.objects.create(
        event=scene.event,
        enrollment=scene.clicker,
        reason=Case.Reason.GAP,
        evidence={"on_controls": 1.02, "on_others": 0.1, "controls": 12},
        opened_at=NOW,
    )
    page = scene.get("cases")
    assert scene.clicker.pseudonym in page
    assert "answer everything else otherwise than the others: reliability 0.10 there" in page
    assert "Say why." in scene.post(case=case.uuid, act="dismiss", note=" ")
    assert "dismissed" in scene.post(case=case.uuid, act="dismiss", note="Their own taste.")
    assert "decided already" in scene.post(case=case.uuid, act="exclude", note="No.")
    assert not Exclusion.objects.exists()
    assert "No case is open." in scene.get("cases")
    page = scene.get("cases", query="?show=decided")
    assert "Their own taste." in page
    assert "by rita" in page


def test_a_case_of_somebody_else_is_not_there(scene: Scene) -> None:
    other = Case.objects.create(
        event=scene.event,
        enrollment=scene.crowd.judges[0],
        reason=Case.Reason.GAP,
        evidence={"on_controls": 1.0, "on_others": 0.1, "controls": 12},
        opened_at=NOW,
    )
    address = reverse("desk:contributor", args=["fair", scene.clicker.public_id])
    fields = {"case": other.uuid, "act": "dismiss", "note": "No."}
    assert scene.client.post(address, fields).status_code == 404


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
    assert client.get(reverse("desk:cases", args=["fair"])).status_code == 404

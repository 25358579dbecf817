"""Answering appeals on the desk: shown above the evidence, answered once, by somebody else."""

import pytest
from django.test import Client
from django.utils import timezone

from arena.events.decision_record import Ruling
from arena.events.models import Act, Decision, Event
from arena.judging.models import Appeal, Case, Exclusion, Judgment
from arena.judging.review.appeals import find_appealable, open_appeal
from arena.judging.review.cases import exclude_on_review
from arena.people.models import User
from tests.desk.cast import signed_in, url
from tests.factories import NOW, make_enrollment, make_judgment, make_membership, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


class Scene:
    """Somebody whom the organizer excluded appeals, and a reviewer may answer."""

    def __init__(self, event: Event, organizer: User) -> None:
        self.event, self.whom = event, make_enrollment(event)
        make_judgment(self.whom)
        ruling = Ruling(organizer, NOW, "Too fast.")
        exclude_on_review(self.whom, Exclusion.Reason.UNRELIABLE, ruling)
        (part,) = find_appealable(self.whom)
        self.appeal = open_appeal(self.whom, part.decision, "I read <b>fast</b>.", timezone.now())
        reviewer = make_user("rita")
        make_membership(event, reviewer)
        self.client = signed_in(reviewer)
        self.page = url("case", event, Case.objects.get().uuid)

    def answer(self, client: Client, act: str, note: str = "Looked again.") -> str:
        address = url("appeal", self.event, self.appeal.uuid)
        response = client.post(address, {"act": act, "note": note}, follow=True)
        return " ".join(response.content.decode().split())


@pytest.fixture
def scene(event: Event, organizer: User) -> Scene:
    return Scene(event, organizer)


def test_an_appeal_stands_above_the_evidence(scene: Scene) -> None:
    page = scene.client.get(scene.page).content.decode()
    assert page.index("I read &lt;b&gt;fast&lt;/b&gt;.") < page.index('id="claim"')
    own = scene.client.get(url("contributor", scene.event, scene.whom.public_id))
    assert "I read &lt;b&gt;fast&lt;/b&gt;." in own.content.decode()


def test_granting_lifts_what_was_excluded_by_one_decision(scene: Scene) -> None:
    assert "The appeal is granted. Boards update" in scene.answer(scene.client, "grant")
    assert Judgment.objects.counted().count() == 1
    acts = list(Decision.objects.values_list("act", flat=True))
    assert acts == [Act.EXCLUDED, Act.APPEAL_GRANTED]
    assert "answered already" in scene.answer(scene.client, "decline")
    page = scene.client.get(scene.page).content.decode()
    assert "Looked again." in page
    assert "Granted" in page


def test_declining_leaves_everything_as_it_is(scene: Scene) -> None:
    assert "The appeal is declined." in scene.answer(scene.client, "decline")
    assert not Judgment.objects.counted().exists()
    assert Decision.objects.filter(act=Act.APPEAL_DECLINED).count() == 1


def test_an_answer_wants_a_reason(scene: Scene) -> None:
    assert "Say why." in scene.answer(scene.client, "grant", " ")
    assert Appeal.objects.get().state == Appeal.State.OPEN


def test_whoever_decided_leaves_the_answer_to_others(scene: Scene, desk: Client) -> None:
    page = desk.get(scene.page).content.decode()
    assert "so somebody else answers" in page
    assert 'value="grant"' not in page
    assert "Somebody else has to answer this appeal." in scene.answer(desk, "grant")
    assert 'value="grant"' in scene.client.get(scene.page).content.decode()


def test_an_appeal_is_answered_by_nobody_else(scene: Scene, client: Client) -> None:
    address = url("appeal", scene.event, scene.appeal.uuid)
    said = {"act": "grant", "note": "I am right."}
    assert client.post(address, said).status_code == 302
    assert signed_in(scene.whom.user).post(address, said).status_code == 404
    assert scene.client.post(address, {"act": "erase", "note": "No."}).status_code == 404
    assert scene.client.get(address).status_code == 405
    assert Appeal.objects.get().state == Appeal.State.OPEN

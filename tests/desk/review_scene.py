"""A queue of three open cases, and a reviewer who looks at it."""

from datetime import datetime, timedelta

from django.http import HttpResponse

from arena.events.models import Enrollment, Event
from arena.judging.models import Case
from tests.desk.cast import signed_in, url
from tests.factories import NOW, make_enrollment, make_judgment, make_membership, make_user

GAP = {"on_controls": 1.02, "on_others": 0.1, "controls": 12}


def open_case(
    who: Enrollment, reason: str = Case.Reason.GAP, opened_at: datetime = NOW, **found: object
) -> Case:
    return Case.objects.create(
        event=who.event,
        enrollment=who,
        reason=reason,
        evidence=found or GAP,
        judgments=3,
        opened_at=opened_at,
    )


class Scene:
    """Three open cases, the oldest first, and a reviewer who looks at them."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self.people = [make_enrollment(event) for _ in range(3)]
        for who in self.people:
            for minute in range(3):
                make_judgment(who, now=NOW + timedelta(minutes=minute))
        self.cases = [
            open_case(who, opened_at=NOW + timedelta(hours=hour))
            for hour, who in enumerate(self.people)
        ]
        self.reviewer = make_user("rita")
        make_membership(event, self.reviewer)
        self.client = signed_in(self.reviewer)

    def case(self, index: int = 0) -> Case:
        return Case.objects.get(pk=self.cases[index].pk)

    def page(self, case: Case, query: str = "") -> str:
        response = self.client.get(url("case", self.event, case.uuid) + query)
        assert response.status_code == 200
        return words(response)

    def queue(self, query: str = "") -> str:
        response = self.client.get(url("review", self.event) + query)
        assert response.status_code == 200
        return words(response)

    def decide(self, case: Case, act: str, note: str = "Looked at.", **said: object) -> str:
        """What the page after the decision says."""
        return words(self.post(case, act, note, **said))

    def post(
        self, case: Case, act: str, note: str = "Looked at.", query: str = "", **said: object
    ) -> HttpResponse:
        address = url("case", self.event, case.uuid) + query
        seen = self.client.get(address).context["seen"]
        fields = {"act": act, "note": note, "seen": seen} | said
        return self.client.post(address, fields, follow=True)


def words(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())


def in_order(page: str, *found: str) -> bool:
    places = [page.index(word) for word in found]
    return places == sorted(places)

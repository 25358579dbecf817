"""An event in which everything was said, its export, and what an import of that says."""

import io
import json
from random import Random
from typing import Any

from arena.events.decision_record import Ruling
from arena.events.models import Enrollment, Event, Record
from arena.judging.importing import import_judgments
from arena.judging.ledger import seal_event
from arena.judging.models import Exclusion
from arena.judging.review.exclusions import exclude
from tests.exports.cast import Cast, judgment_lines
from tests.factories import (
    NOW,
    make_competitors,
    make_control,
    make_enrollment,
    make_matchup_of,
    make_record,
)

SETTINGS = {"scale": 7, "both_bad": True, "publish_batch": 0}


class Campaign(Cast):
    """An event in which everything that a vote can say was said, by five people."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**(SETTINGS | settings))
        self.models += make_competitors(self.event, 2)
        rng = Random(7)
        people = [self.ada, self.ben, *(make_enrollment(self.event) for _ in range(3))]
        self.people = people
        self.judge_all()
        for number in range(6):
            record = make_record(self.event, f"Is {number} prime?", metadata={"level": number})
            self.judge_record(record, people, rng)
        self.tie_control = make_control(self.event, 0, texts=("2", "two"))
        for person in people:
            self.judge(person, self.tie_control, rng.choice(["a1", "tie", "b3"]))
        exclude(people[-1], Exclusion.Reason.RIGGING, Ruling(self.organizer, NOW, "So decided."))
        seal_event(self.event.pk, NOW)

    def judge_record(self, record: Record, people: list[Enrollment], rng: Random) -> None:
        """All four models answer; three pairs of them are judged, some on the other side."""
        responses = [
            record.responses.create(competitor=model, text=f"{model.name[-1]} says {rng.random()}")
            for model in rng.sample(self.models, 4)
        ]
        for one, other in ((0, 1), (1, 2), (0, 3)):
            matchup = make_matchup_of(record, [responses[one], responses[other]])
            for person in people:
                answer = rng.choice(["a3", "a2", "a1", "tie", "b1", "b2", "b3", "both_bad"])
                order = rng.choice([(0, 1), (1, 0)])
                judgment = self.judge(person, matchup, answer, f"I chose {answer}", order)
                if rng.random() < 0.1:
                    reason = Exclusion.Reason.LATE
                    exclude(judgment, reason, Ruling(None, NOW))


def export_of(event: Event) -> bytes:
    return "".join(judgment_lines(event)).encode()


def bring(event: Event, content: bytes, **options: Any) -> Any:
    report = import_judgments(event, io.BytesIO(content), now=NOW, rng=Random(3), **options)
    seal_event(event.pk, NOW)
    return report


SAME = (
    *("external_id", "prompt", "categories", "first_competitor", "first_response", "winner"),
    *("second_competitor", "second_response", "left", "right", "outcome", "both_bad", "comment"),
    *("pseudonym", "contributor_kind", "judged_at", "role", "exclusion", "counted", "metadata"),
    *("key", "key_reason", "other_answers"),
)


def told(event: Event) -> list[dict[str, Any]]:
    """What an export says, but for what is another event's own: identifiers, screens, origins."""
    rows = [json.loads(line) for line in judgment_lines(event)]
    return [{name: row[name] for name in SAME} for row in rows]

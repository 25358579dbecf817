"""What a review leaves about a contributor, in words that nothing else contains."""

from dataclasses import replace

from arena.events.decision_record import Ruling, record_decision
from arena.events.lifecycle.decisions import Plan, propose
from arena.events.models import Act, Enrollment
from arena.judging.models import Appeal, Case, ReviewWarning

# What is written to a contributor, and what they write, in the course of a review.
PERSONAL_TEXTS = ("warning", "appeal", "earlier-appeal", "answer")
# What is written about one.
REVIEW_TEXTS = ("case-note", "exclusion-note", "decision-note", "proposal-note", "key-note")


def review(enrollment: Enrollment, name: str, ruling: Ruling) -> set[str]:
    """A case, a warning that was read, appeals, decisions and a proposal; the texts of a personal
    kind, and what names a row."""
    event, now, by, slug = enrollment.event, ruling.now, ruling.by, enrollment.event.slug
    decision = record_decision(event, Act.EXCLUDED, ruling, contributor=enrollment.pseudonym)
    key_note = replace(ruling, note=f"{slug}-key-note")
    record_decision(event, Act.KEY_CHANGED, key_note, old={"sign": 1}, new={"sign": -1})
    fields = {"event": event, "enrollment": enrollment, "opened_at": now}
    decided = {"decided_by": by, "decided_at": now, "note": f"{slug}-case-note"}
    case = Case.objects.create(reason="review", state="dismissed", **fields, **decided)
    ReviewWarning.objects.create(
        enrollment=enrollment,
        case=case,
        text=f"{slug}-{name}-warning",
        sent_at=now,
        sent_by=by,
        read_at=now,
    )
    earlier = {"state": "declined", "answered_at": now, "answer": f"{slug}-{name}-answer"}
    Appeal.objects.create(
        **fields, decision=decision, text=f"{slug}-{name}-earlier-appeal", **earlier
    )
    Appeal.objects.create(**fields, decision=decision, text=f"{slug}-{name}-appeal")
    plan = Plan(Act.EXCLUDED, f"contributor {enrollment.pk}", {})
    proposal = propose(event, plan, replace(ruling, note=f"{slug}-proposal-note"))
    texts = {f"{slug}-{name}-{what}" for what in PERSONAL_TEXTS}
    return texts | {str(case.uuid), str(proposal.uuid)}

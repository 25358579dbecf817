"""The digest of the evidence that a page shows: what a decision says that its author had seen."""

import hashlib
import json
from typing import Any

from django.core import signing
from django.forms.models import model_to_dict
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.judging.models import Case, Judgment
from leaderboard.models import Reliability

SALT = "arena.desk.review.seen"


def sign_evidence(case: Case, known: Reliability | None) -> str:
    """The digest of a case's evidence now, signed for its form: whoever posts it had it on a page
    of ours."""
    return signing.dumps([str(case.uuid), digest_evidence(case, known)], salt=SALT)


def read_seen(case: Case, token: str) -> str:
    """The digest in what `sign_evidence` gave. Raises `ConflictError` for anything else."""
    try:
        uuid, digest = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError) as error:
        raise stale() from error
    if uuid != str(case.uuid):
        raise stale()
    return str(digest)


def stale() -> ConflictError:
    """The refusal of a form that was not made for this case."""
    return ConflictError(_("Look at the case again, then decide."), "unseen")


def digest_evidence(case: Case, known: Reliability | None) -> str:
    """SHA-256, hexadecimal, over canonical JSON: the claim, what is known of the contributor, and
    which judgments of theirs stand and are excluded."""
    standing = Judgment.objects.standing().filter(enrollment=case.enrollment_id)
    counted = standing.not_excluded()
    said: dict[str, Any] = {
        "case": str(case.uuid),
        "claim": [case.reason, case.evidence],
        "known": model_to_dict(known, exclude=["id"]) if known else None,
        "judgments": sorted(standing.values_list("pk", flat=True)),
        "counted": sorted(counted.values_list("pk", flat=True)),
    }
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()

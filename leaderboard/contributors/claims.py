"""How strong the evidence of a case is, in one unit for all kinds of claims."""

import math

from scipy.special import log_ndtr

from arena.judging.models import Case
from leaderboard.models import Reliability
from leaderboard.trust.not_reading import MAX_OVERALL

MAX_EVIDENCE = 30.0
"""Nobody looks sooner for more: once in ten million million honest readers."""
POOR_READER = MAX_OVERALL
"""R of a poor reader: 1 is that of most."""
SMALLEST_ERROR = 1e-6
Reason = Case.Reason


def weigh_claim(case: Case, known: Reliability | None) -> float:
    """How surprising a case's evidence would be of somebody honest, as a natural logarithm: -log of
    how often they would show as much, at most; between 0 and `MAX_EVIDENCE`.

    Of likelihood ratios and e-processes the logarithm itself, since an honest person exceeds e^x
    with probability e^-x at most (Ville 1939). Of reliabilities -log P(Z > z) for a normal Z: z is
    (R_c - R_o) / SE of a gap, and (.50 - R) / SE of somebody who seems not to read, .50 being the R
    of a poor reader. What a reviewer found is certain. The figures are those of now where they are
    known, else those of when the case was opened.
    """
    found = case.evidence
    if case.reason == Reason.RIGGING:
        evidence = read(known, found, "rig_evidence")
    elif case.reason == Reason.SIDES:
        evidence = read(known, found, "side_evidence")
    elif case.reason == Reason.TWIN:
        evidence = float(found.get("evidence", 0.0))
    elif case.reason == Reason.GAP:
        lead = read(known, found, "on_controls") - read(known, found, "on_others")
        errors = [read(known, found, f"{part}_error") for part in ("on_controls", "on_others")]
        evidence = surprise(lead, math.hypot(*errors))
    elif case.reason == Reason.UNRELIABLE:
        short = POOR_READER - read(known, found, "overall")
        evidence = surprise(short, read(known, found, "overall_error"))
    else:
        evidence = MAX_EVIDENCE
    return min(max(evidence, 0.0), MAX_EVIDENCE)


def read(known: Reliability | None, found: dict[str, float], name: str) -> float:
    """A figure of now, or of when the case was opened; 0 where neither is known."""
    value = getattr(known, name) if known is not None else found.get(name)
    return float(value or 0.0)


def surprise(value: float, error: float) -> float:
    """-log P(Z > value / error) of a normal Z."""
    return float(-log_ndtr(-value / max(error, SMALLEST_ERROR)))

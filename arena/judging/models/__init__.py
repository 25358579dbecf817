"""The act of judging: assignments, judgments and answers, flags and exclusions, the ledger.
Rules across rows are in the verb modules.
"""

from arena.judging.models.appeals import Appeal, AppealQuerySet
from arena.judging.models.assignments import Assignment, AssignmentQuerySet
from arena.judging.models.cases import Case, CaseQuerySet
from arena.judging.models.exclusions import Exclusion, ExclusionQuerySet
from arena.judging.models.flags import Flag, FlagQuerySet
from arena.judging.models.judgments import Answer, Judgment, JudgmentQuerySet, Origin
from arena.judging.models.ledger import LedgerBatch, LedgerCheck
from arena.judging.models.pair_weights import PairWeight
from arena.judging.models.warnings import ReviewWarning

__all__ = [
    "Answer",
    "Appeal",
    "AppealQuerySet",
    "Assignment",
    "AssignmentQuerySet",
    "Case",
    "CaseQuerySet",
    "Exclusion",
    "ExclusionQuerySet",
    "Flag",
    "FlagQuerySet",
    "Judgment",
    "JudgmentQuerySet",
    "LedgerBatch",
    "LedgerCheck",
    "Origin",
    "PairWeight",
    "ReviewWarning",
]

"""What is kept of each contributor: the rows of `Reliability`, from a fit and its answers."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from leaderboard.contributors.answers import AnswerTable
from leaderboard.contributors.controls import count_passed, score_controls
from leaderboard.contributors.scores import first_look
from leaderboard.models import Reliability
from leaderboard.ratings import Floats, quantise
from leaderboard.trust.agreement import CategoryAnswers, agreement_with_others
from leaderboard.trust.gaps import UNKEYED
from leaderboard.trust.quality import QUALITY_UNIT, UNRATED, last_look
from leaderboard.trust.reliability import Parts, Scores
from leaderboard.trust.reliability import Reliability as Fitted
from leaderboard.trust.rigging import Rigging, find_gaps
from leaderboard.trust.scoring import limit_quality
from leaderboard.votes.queries import IntegerTable

STRONGEST = 10
"""Answers kept for each contributor that say most for, and most against, their reading."""


class Agreement:
    """How far each contributor agrees with those who count, on controls and on all else apart."""

    def __init__(self, table: AnswerTable) -> None:
        answers = CategoryAnswers(
            contributor=table.who,
            unit=table.answers.matchup,
            category=np.sign(table.columns["outcome"]) + 1,
            categories=3,
        )
        keyed, counts = table.keys != UNKEYED, table.counted
        # Whoever is excluded is compared with everybody, and nobody with them.
        of_all, of_counted = np.ones(len(keyed), dtype=bool), counts[table.who]
        self.parts = []
        for among in (~keyed, keyed):
            inside, outside = (
                agreement_with_others(answers, rows=among & rows) for rows in (of_counted, of_all)
            )
            self.parts.append((inside, outside))
        self.counts = counts

    def fields(self, index: int) -> dict[str, float | int | None]:
        """The fields of `Reliability`, of one contributor."""
        others, controls = (part[0] if self.counts[index] else part[1] for part in self.parts)
        return {
            "agreement": none_if_nan(others.share[index]),
            "agreement_low": none_if_nan(others.share_lower[index]),
            "agreement_high": none_if_nan(others.share_upper[index]),
            "compared": int(others.n[index]),
            "agreement_on_controls": none_if_nan(controls.share[index]),
            "compared_on_controls": int(controls.n[index]),
        }


def mark_shown(table: AnswerTable) -> npt.NDArray[np.bool_]:
    """Bool per answer: whether it is behind what is shown of its contributor while the event runs.

    A contributor's first look, and then every 100 of their own judgments: in between, no answer of
    one's own moves one's band, so that nobody can tell from it which of them was a control.
    """
    ordinal, judged = count_judgments(table)
    limits = last_look(judged, first_look(table.data.event))
    shown: npt.NDArray[np.bool_] = ordinal <= limits[table.who]
    return shown


def count_judgments(table: AnswerTable) -> tuple[IntegerTable, IntegerTable]:
    """The 1-based index of each answer's judgment among its contributor's, int64 (n,), and how
    many judgments each contributor made, int64 (people,)."""
    who, seq = table.who, table.columns["seq"]
    order = np.lexsort([seq, who])
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (np.diff(seq[order]) != 0) | (np.diff(who[order]) != 0)
    judged = np.bincount(who[order][is_new], minlength=len(table.enrollments))
    before = np.cumsum(judged) - judged
    ordinal = np.empty(len(order), dtype=np.int64)
    ordinal[order] = np.cumsum(is_new) - before[who[order]]
    return ordinal, judged


@dataclass(frozen=True, eq=False)
class Screens:
    """What else is known of each contributor. sides: float64 (people,), logarithm of the e-process;
    pace: float64 (people,), mean logarithm of seconds; consistency: float64 (people,), z of how
    well own votes predict each other; NaN where unknown."""

    rigging: Rigging
    sides: Floats
    pace: Floats
    consistency: Floats


def build_rows(table: AnswerTable, found: Fitted, screens: Screens) -> list[Reliability]:
    """One row for each contributor, in the order of `AnswerTable.enrollments`."""
    event, competitors, rigging = table.data.event, table.data.competitors, screens.rigging
    kappa, passed = score_controls(table), count_passed(table)
    quality, shown = (to_millionths(part) for part in (found, found.so_far))
    left, ties, right = count_sides(table)
    judged, gaps, agreement = count_judgments(table)[1], find_gaps(found), Agreement(table)
    rigged, strongest = list_rigged(table, rigging), list_strongest(table, found.evidence)
    size = max(len(competitors), 1)
    return [
        Reliability(
            event=event,
            enrollment_id=int(enrollment),
            judgments=int(judged[i]),
            controls=int(found.controls[i]),
            passed=int(passed[i]),
            reads=min(max(float(found.reads[i]), 0.0), 1.0),
            weight=int(quantise(found.reads[i])),
            quality=none_if_unrated(quality[i]),
            shown_quality=none_if_unrated(shown[i]),
            kappa=float(kappa.kappa[i]) if kappa.rated[i] else None,
            kappa_error=float(kappa.standard_error[i]) if kappa.rated[i] else None,
            left=int(left[i]),
            ties=int(ties[i]),
            right=int(right[i]),
            rig_evidence=float(rigging.evidence[i]),
            rig_model_id=competitors[rigging.model[i] % size] if rigging.model[i] >= 0 else None,
            rig_lifts=bool(rigging.lifts[i]),
            side_evidence=float(screens.sides[i]),
            pace=none_if_nan(screens.pace[i]),
            consistency=none_if_nan(screens.consistency[i]),
            **agreement.fields(i),
            has_gap=bool(gaps[i]),
            rigged=rigged[i],
            strongest=strongest[i],
            **name_scores("overall", found.overall, i),
            **name_scores("on_controls", found.on_controls, i),
            **name_scores("on_others", found.on_others, i),
        )
        for i, enrollment in enumerate(table.enrollments)
    ]


def name_scores(name: str, scores: Scores, index: int) -> dict[str, float]:
    """A value and its error, by field."""
    return {name: float(scores.value[index]), f"{name}_error": float(scores.error[index])}


def to_millionths(part: Parts) -> IntegerTable:
    """Quality in millionths, rounded down: int64 (people,), -1 below ten controls."""
    quality = limit_quality(part)
    rated = ~np.isnan(quality)
    whole = np.full(len(quality), UNRATED, dtype=np.int64)
    whole[rated] = np.floor(quality[rated] * QUALITY_UNIT).astype(np.int64)
    return whole


def none_if_nan(value: float) -> float | None:
    """For the database."""
    return float(value) if np.isfinite(value) else None


def none_if_unrated(millionths: np.int64) -> int | None:
    """For the database."""
    return None if millionths == UNRATED else int(millionths)


def count_sides(table: AnswerTable) -> tuple[IntegerTable, IntegerTable, IntegerTable]:
    """How often each contributor preferred the left, neither, and the right, where it is known."""
    side = np.sign(table.columns["outcome"]) * table.columns["left"]
    ties = table.columns["outcome"] == 0
    people = len(table.enrollments)
    left, tied, right = (
        np.bincount(table.who[rows], minlength=people) for rows in (side > 0, ties, side < 0)
    )
    return left, tied, right


def list_rigged(table: AnswerTable, rigging: Rigging) -> list[list[list[int]]]:
    """For each contributor question, competitor and P(rig) in units of weight, if not nothing."""
    found: list[list[list[int]]] = [[] for _ in table.enrollments]
    chances, size = quantise(np.clip(rigging.certainty, 0.0, 1.0)), len(table.data.competitors)
    for row in np.flatnonzero(chances):
        person, model = rigging.pairs[row]
        question, competitor = table.data.questions[model // size], model % size
        pair = [question, table.data.competitors[competitor], int(chances[row])]
        found[int(person)].append(pair)
    return found


def list_strongest(table: AnswerTable, evidence: Floats) -> list[list[list[float]]]:
    """For each contributor the ledger position of the answers that say most either way, and what
    they say; those against first."""
    who, seq = table.who, table.columns["seq"]
    order = np.lexsort([seq, evidence, who])
    starts = np.searchsorted(who[order], np.arange(len(table.enrollments) + 1))
    kept: dict[int, list[list[float]]] = defaultdict(list)
    for person, (begin, end) in enumerate(pairwise(starts)):
        rows = order[begin:end]
        if len(rows) > 2 * STRONGEST:
            rows = np.concatenate([rows[:STRONGEST], rows[-STRONGEST:]])
        kept[person] = [[int(seq[row]), round(float(evidence[row]), 4)] for row in rows]
    return [kept[person] for person in range(len(table.enrollments))]

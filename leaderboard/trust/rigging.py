"""Screens for what no reliability can see: whoever reads, and answers so as to move a model.

Each screen says what a person should look at. None of them decides, and one that could not run is
no evidence about anybody.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from leaderboard.ratings import Floats
from leaderboard.trust.gaps import UNKEYED, Integers
from leaderboard.trust.reliability import Answers, Reliability

RIG_SHARE = 0.03
"""Prior probability that a contributor lifts or lowers one model."""
RIGGED = {2: (0.95, 0.05), 3: (0.93, 0.04, 0.03), 5: (0.85, 0.08, 0.03, 0.02, 0.02)}
"""How somebody who lifts a model answers where it is shown, from much better to much worse."""
STRONG_EVIDENCE = 1_000.0
"""Mean likelihood ratio over all models from which on somebody is said to rig."""
PSEUDO_PEOPLE, EM_STEPS = 20.0, 20
"""Weight of that prior against everybody's answers, and steps of learning from these."""
HABIT_ANSWERS = 20.0
"""Pseudo-answers of everybody's in a contributor's habit of ties and extremes."""
GAP_ERRORS, MIN_GAP_CONTROLS, MANY_GAP_CONTROLS = 3.0, 6, 10
"""Standard errors apart, controls it takes, and from how many on the classes' own spread is no
error: the cells of the grid are the same for both."""
MAX_ON_OTHERS = 0.80
"""Upper 95% limit of R on all else: whoever reads as readers do has no gap, however good they are
on controls."""
STRETCHES, ATTENTIONS = (0.5, 0.75, 1.0, 1.5, 2.2), (0.7, 0.85, 1.0)
SIDE_COUNT, SIDE_TOTAL, STEADY = 4.0, 8.0, 0.95


@dataclass(frozen=True, eq=False)
class Rigging:
    """What the answers say of lifting or lowering one model.

    of_answer: float64 (n,), P(rig) of each answer: that its contributor answers for or against a
    model that it shows; pairs: int64 (k, 2), contributors and models they met; certainty: float64
    (k,), P(rig) of each of these; evidence: float64 (U,), natural logarithm of the mean likelihood
    ratio over all models and both directions, 0 where nothing is known; model: int64 (U,), the
    likeliest one, -1 where nobody met any; lifts: bool (U,), whether it is lifted and not lowered.
    """

    of_answer: Floats
    pairs: npt.NDArray[np.int64]
    certainty: Floats
    evidence: Floats
    model: npt.NDArray[np.int64]
    lifts: npt.NDArray[np.bool_]

    @property
    def flagged(self) -> npt.NDArray[np.bool_]:
        """Whom somebody should look at."""
        mask: npt.NDArray[np.bool_] = self.evidence > np.log(STRONG_EVIDENCE)
        return mask


def screen_models(answers: Answers, expected: Floats) -> Rigging:
    """Likelihood ratio of rigging for each contributor and model, against readers' predictive.

    For a contributor and a model Π ρ(y) / p(y) over their answers where it is shown, y seen from
    the model's side, p what a stranger who reads would answer (`Reliability.expected`), tilted by
    how often this contributor answers so strongly, on either side. How many rig for or against each
    model is learned from everybody (empirical Bayes, by expectation and maximisation), from a prior
    of .03 spread over all models and both directions: riggers have company.

    expected: float64 (n, K), probability of each category as displayed, for rows as in `answers`.
    """
    shown = np.flatnonzero(shows_models(answers))
    who, size = answers.contributor[shown], answers.matchups.competitors
    ratios = weigh_rows(answers, expected, shown)
    models = [
        one[answers.matchup[shown]] for one in (answers.matchups.first, answers.matchups.second)
    ]
    pairs = np.concatenate([who * np.int64(max(size, 1)) + model for model in models])
    met, place = np.unique(pairs, return_inverse=True)
    # By (contributor, model) they met, lifting and lowering: log-likelihood ratios.
    columns = [np.bincount(place, ratio.ravel(), len(met)) for ratio in ratios]
    sums: Floats = np.stack(columns, 1).astype(np.float64)
    person, model = met // max(size, 1), met % max(size, 1)
    share = 1.0 / max(2 * size, 1)
    evidence = average_ratios(person, sums, answers.people, share)
    certainty = learn_certainty(person, model, sums, size, answers.who_counts()).sum(1)
    of_answer = np.zeros(len(answers.contributor))
    of_answer[shown] = np.minimum(certainty[place].reshape(2, -1).sum(0), 1.0)
    best, lifts = find_best(person, model, sums, answers.people)
    return Rigging(of_answer, np.stack([person, model], 1), certainty, evidence, best, lifts)


def shows_models(answers: Answers) -> npt.NDArray[np.bool_]:
    """Bool per row: whether it compares two models of the event."""
    matchups = answers.matchups
    owned = (matchups.first >= 0) & (matchups.second >= 0) & (matchups.key == UNKEYED)
    mask: npt.NDArray[np.bool_] = owned[answers.matchup]
    return mask


def weigh_rows(answers: Answers, expected: Floats, rows: Integers) -> tuple[Floats, Floats]:
    """log ρ(y) - log p(y) of each row for its first and its second model, lifted and lowered:
    float64 (2, n) each."""
    displayed = answers.displayed()[rows]
    toward_first = np.where(answers.left[rows] < 0, answers.categories - 1 - displayed, displayed)
    rigged = np.log(RIGGED[answers.categories])
    usual = np.log(tilt(answers, expected, rows)[np.arange(len(rows)), displayed])
    lifting = np.stack([rigged[toward_first], rigged[::-1][toward_first]])
    return lifting - usual, lifting[::-1] - usual


def learn_certainty(
    person: Integers, model: Integers, sums: Floats, models: int, counted: npt.NDArray[np.bool_]
) -> Floats:
    """Posterior of each contributor's lifting and lowering each model they met: float64 (n, 2).

    sums: float64 (n, 2), log-likelihood ratios; counted: bool (U,), from whom shares are learned.
    """
    people, learned = len(counted), float(counted.sum())
    prior = np.full((models, 2), RIG_SHARE / max(2 * models, 1))
    shares, posterior = prior, np.zeros_like(sums)
    for _ in range(EM_STEPS):
        odds = np.log(shares[model]) + sums
        # What they never met has nothing against it: it stays with being honest.
        honest = 1.0 - np.bincount(person, shares[model].sum(1), people)
        top = np.zeros(people)
        np.maximum.at(top, person, odds.max(1, initial=0.0))
        parts = np.bincount(person, np.exp(odds - top[person, None]).sum(1), people)
        whole = top + np.log(honest * np.exp(-top) + parts)
        posterior = np.exp(odds - whole[person, None])
        weight = np.where(counted, np.exp(-whole), 0.0)
        elsewhere = weight.sum() - np.bincount(model, weight[person], models)
        heard = np.where(counted[person, None], posterior, 0.0)
        met = np.stack([np.bincount(model, one, models) for one in heard.T], 1)
        total = met + shares * elsewhere[:, None] + PSEUDO_PEOPLE * prior
        shares = total / (learned + PSEUDO_PEOPLE)
    return posterior


def tilt(answers: Answers, expected: Floats, rows: Integers) -> Floats:
    """What is expected of each row by its contributor's habit of ties and extremes: float64 (n, K).

    p(y)·m_u(|y|) / m(|y|), normalised; m are shares of answers so strong, of a contributor with 20
    pseudo-answers of everybody's.
    """
    levels = np.abs(2 * np.arange(answers.categories) - (answers.categories - 1)) // 2
    size, who = int(levels.max()) + 1, answers.contributor[rows]
    index = who * np.int64(size) + levels[answers.displayed()[rows]]
    counts = np.bincount(index, minlength=answers.people * size).reshape(-1, size)
    heard = counts[answers.who_counts()]
    share = (heard.sum(0) + 1.0) / (heard.sum() + size)
    habit = (counts + HABIT_ANSWERS * share) / (counts.sum(1, keepdims=True) + HABIT_ANSWERS)
    tilted = expected[rows] * (habit / share)[who][:, levels]
    result: Floats = tilted / tilted.sum(1, keepdims=True)
    return result


def average_ratios(person: Integers, sums: Floats, people: int, share: float) -> Floats:
    """Logarithm of each contributor's mean likelihood ratio; models they never met count 1."""
    unmet = 1.0 - 2.0 * share * np.bincount(person, minlength=people)
    unmet = np.where(unmet < share, 0.0, unmet)  # nobody meets half a model
    top = np.where(unmet > 0.0, 0.0, -np.inf)
    np.maximum.at(top, person, sums.max(1, initial=-np.inf))
    part = np.bincount(person, np.exp(sums - top[person, None]).sum(1), people)
    rest = unmet * np.exp(-np.maximum(top, 0.0))  # top is below 0 only where all are met
    mean: Floats = top + np.log(share * part + rest)
    return mean


def find_best(
    person: Integers, model: Integers, sums: Floats, people: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Each contributor's likeliest model, and whether it is lifted."""
    best, lifts = np.full(people, -1, dtype=np.int64), np.zeros(people, dtype=bool)
    order = np.lexsort([-model, sums.max(1, initial=-np.inf)])  # the last one written stays
    best[person[order]] = model[order]
    lifts[person[order]] = sums[order, 0] >= sums[order, 1]
    return best, lifts


# --- sides ------------------------------------------------------------------------------------
def screen_sides(answers: Answers, expected: Floats) -> Floats:
    """The largest value of each contributor's e-process so far, as a logarithm: float64 (U,).

    Given how strong an answer is, only its side is random, so that habits of ties and extremes
    cancel. E_j = Σ_k w_k Π q_k(side_i) / max_{t,g} Π p_{t,g}(side_i): p_{t,g} = g·σ(t·logit π_i) +
    (1 - g)/2 for stretches t and attentions g of an honest reader, π_i the share of left among
    answers as strong to that matchup (universal inference, Wasserman, Ramdas & Balakrishnan 2020,
    eq. 6). The alternatives: half on the running share of one's own sides, (4 + left) / (8 + all),
    half on lifting or lowering each model met, with .95. Honest people exceed log(1/α) ever with
    probability α at most (Ville 1939).

    Rows are in the order in which they were answered; those without a known side are left out.
    """
    usable = shows_models(answers) & (answers.left != 0)
    displayed, last = answers.displayed(), answers.categories - 1
    usable &= displayed * 2 != last
    rows = np.flatnonzero(usable)
    rows = rows[np.argsort(answers.contributor[rows], kind="stable")]
    went_left = displayed[rows] * 2 < last
    ours = expected[rows, displayed[rows]]
    theirs = expected[rows, last - displayed[rows]]
    lead = np.log(ours / theirs) * np.where(went_left, 1.0, -1.0)
    found = np.zeros(answers.people)
    starts = np.searchsorted(answers.contributor[rows], np.arange(answers.people + 1))
    for person in np.flatnonzero(np.diff(starts)):
        part = slice(starts[person], starts[person + 1])
        matchup = answers.matchup[rows[part]]
        toward = np.where(answers.left[rows[part]] > 0, went_left[part], ~went_left[part])
        models = (answers.matchups.first[matchup], answers.matchups.second[matchup])
        found[person] = run_process(went_left[part], lead[part], toward, models)
    return found


def run_process(
    left: npt.NDArray[np.bool_],
    lead: Floats,
    toward_first: npt.NDArray[np.bool_],
    models: tuple[Integers, Integers],
) -> float:
    """The largest logarithm of one contributor's e-process, at least 0; rows in order."""
    honest = np.max(
        [log_honest(left, lead, t, g).cumsum() for t in STRETCHES for g in ATTENTIONS], 0
    )
    before = np.concatenate([[0.0], np.cumsum(left)[:-1]])
    share = (SIDE_COUNT + before) / (SIDE_TOTAL + np.arange(len(left)))
    own = np.log(np.where(left, share, 1.0 - share)).cumsum()
    known = np.unique(np.concatenate(models))
    plain = log_honest(left, lead, 1.0, 1.0)
    steady = []
    for model in known:
        is_first, is_second = models[0] == model, models[1] == model
        lifted = np.where(is_first, toward_first, ~toward_first)
        for sign in (lifted, ~lifted):
            given = np.log(np.where(sign, STEADY, 1.0 - STEADY))
            steady.append(np.where(is_first | is_second, given, plain).cumsum())
    mixed = logsumexp([own, logsumexp(steady, axis=0) - np.log(len(steady))], axis=0) - np.log(2.0)
    return float(max(np.max(mixed - honest), 0.0))


def log_honest(
    left: npt.NDArray[np.bool_], lead: Floats, stretch: float, attention: float
) -> Floats:
    """log p_{t,g} of each side."""
    toward = np.where(left, lead, -lead) * stretch
    result: Floats = np.log(attention / (1.0 + np.exp(-toward)) + (1.0 - attention) / 2.0)
    return result


def find_discoveries(log_evidence: Floats, alpha: float) -> npt.NDArray[np.bool_]:
    """Whom one may name so that on average α of those named are honest at most (e-BH: Wang & Ramdas
    2022, "False Discovery Rate Control with E-values", definition 2.4): bool (U,)."""
    people = len(log_evidence)
    order = np.argsort(-log_evidence, kind="stable")
    needed = np.log(people / (alpha * np.arange(1, people + 1)))
    enough = np.flatnonzero(log_evidence[order] >= needed)
    named = np.zeros(people, dtype=bool)
    if len(enough):
        named[order[: enough[-1] + 1]] = True
    return named


# --- controls and all else ----------------------------------------------------------------------
def find_gaps(found: Reliability) -> npt.NDArray[np.bool_]:
    """Who passes the controls and judges otherwise than the others elsewhere: bool (U,).

    R_c - R_o over 3 standard errors with six controls, or over 3 posterior deviations with ten; and
    R_o + 1.645 SE < .80. Whoever answers only controls with care is among them, and so is somebody
    with a taste of their own: it asks a person to look. Of honest people with thirty judgments it
    names .3% at most (`python -m bench.review`).
    """
    on_controls, on_others = found.on_controls, found.on_others
    gap = on_controls.value - on_others.value
    error = np.hypot(on_controls.error, on_others.error)
    deviation = np.hypot(on_controls.deviation, on_others.deviation)
    some = (gap > GAP_ERRORS * error) & (found.controls >= MIN_GAP_CONTROLS)
    many = (gap > GAP_ERRORS * deviation) & (found.controls >= MANY_GAP_CONTROLS)
    mask: npt.NDArray[np.bool_] = (some | many) & (on_others.upper < MAX_ON_OTHERS)
    return mask

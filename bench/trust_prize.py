"""The prize in simulated events: who wins, whom the gap screen finds, and what models would win."""

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from bench.trust_figures import SEEDS, Figures, separate
from bench.trust_world import (
    AGENT,
    AWARE,
    BLIND,
    BOT,
    HONEST,
    LEFT,
    PASTER,
    RANDOM,
    RIGGER,
    Crowd,
    World,
    draw_crowd,
)
from leaderboard.ratings import Floats
from leaderboard.trust.quality import MIN_CONTROLS_FOR_QUALITY
from leaderboard.trust.reliability import Reliability, estimate_reliability
from leaderboard.trust.rigging import find_gaps, screen_models
from leaderboard.trust.scoring import find_open_questions, limit_quality
from leaderboard.trust.twins import Twins, screen_twins

EVENTS, QUICK_EVENTS = 30, 3
PRIZE_KINDS = {HONEST: 0.77, RANDOM: 0.10, LEFT: 0.05, RIGGER: 0.03, BOT: 0.02, AWARE: 0.03}
AGENT_KINDS = PRIZE_KINDS | {HONEST: 0.71, AGENT: 0.03, PASTER: 0.03}
MODELS = {"agent": AGENT, "paster": PASTER}


def rank_people(crowd: Crowd, found: Reliability, twins: Twins) -> Floats:
    """The score of everybody, -1 without one, 0 where a question is open: float64 (U,)."""
    rigging = screen_models(crowd.answers, found.expected)
    open_question = find_open_questions(found, rigging, twins)
    score = np.where(open_question, 0.0, found.answers * limit_quality(found))
    ranked: Floats = np.where(np.isnan(score), -1.0, score)
    return ranked


def measure_prize(seeds: int) -> None:
    """Who wins simulated events, where cheats work as much as others and ten times as much."""
    figures, people = Figures(), Figures(of="people")
    for cheating in (1, 10):
        for seed in range(EVENTS if seeds == SEEDS else QUICK_EVENTS):
            world = World(models=20, kinds=PRIZE_KINDS, cheating=cheating)
            crowd = draw_crowd(world, seed)
            found = estimate_reliability(crowd.answers)
            add_event(figures, crowd, found, cheating)
            add_gaps(people, crowd, found)
    figures.goal("prize-clicker", 0.0, at_least=False)
    figures.goal("prize-control-aware", 0.02, at_least=False)
    figures.goal("prize-rigger-1x", 0.05, at_least=False)
    figures.goal("prize-rigger-10x", 0.15, at_least=False)
    figures.goal("prize-top-ten", 0.75)
    figures.goal("prize-spearman", 0.70)
    people.goal("gap-found", 0.85)
    people.goal("gap-honest", 0.005, at_least=False)


def add_event(figures: Figures, crowd: Crowd, found: Reliability, cheating: int) -> None:
    """One event: its winner, and who should have been on top."""
    ranked = rank_people(crowd, found, screen_twins(crowd.answers, found.expected))
    winner = crowd.kind[int(np.argmax(ranked))]
    figures.add("prize-clicker", float(winner in BLIND))
    figures.add("prize-control-aware", float(winner == AWARE))
    figures.add(f"prize-rigger-{cheating}x", float(winner == RIGGER))
    if cheating == 1:
        honest = crowd.kind == HONEST
        work = np.where(honest, found.answers * crowd.people.signal(), 0.0)
        best = set(np.argsort(-ranked)[:10]) & set(np.argsort(-work)[:10])
        figures.add("prize-top-ten", len(best) / 10)
        both = honest & is_rated(found)
        figures.add("prize-spearman", float(spearmanr(ranked[both], work[both]).statistic))


def add_gaps(people: Figures, crowd: Crowd, found: Reliability) -> None:
    """Whether the gap screen names each of those who have controls enough."""
    gaps = find_gaps(found)
    for name, kind in (("gap-found", AWARE), ("gap-honest", HONEST)):
        for named in gaps[(crowd.kind == kind) & is_rated(found)]:
            people.add(name, float(named))


def is_rated(found: Reliability) -> npt.NDArray[np.bool_]:
    """Who has controls enough for a score."""
    mask: npt.NDArray[np.bool_] = found.controls >= MIN_CONTROLS_FOR_QUALITY
    return mask


# --- models at the keyboard -------------------------------------------------------------------
def measure_agents(seeds: int) -> None:
    """How agents and pasted answers look beside honest people's, and what they win: no goal, since
    no test of answers tells a model that reads well.

    An AUC of .5 is no difference; below it R takes them for better than people. The share of prizes
    is what they would win if 3% of the people were such, and worked as much as others. Twins are
    screened as well: pasters of one judge answer alike, where they share enough matchups.
    """
    figures = Figures()
    for seed in range(EVENTS if seeds == SEEDS else QUICK_EVENTS):
        crowd = draw_crowd(World(models=20, kinds=AGENT_KINDS), seed)
        found = estimate_reliability(crowd.answers)
        twins = screen_twins(crowd.answers, found.expected)
        winner = crowd.kind[int(np.argmax(rank_people(crowd, found, twins)))]
        named = twins.who(crowd.answers.people)
        for name, kind in MODELS.items():
            chosen = (crowd.kind == kind) | (crowd.kind == HONEST)
            auc = separate(found.overall.value[chosen], crowd.kind[chosen] == kind)
            figures.add(f"agent-auc-{name}", auc)
            figures.add(f"agent-prize-{name}", float(winner == kind))
            figures.add(f"agent-twins-{name}", float(named[crowd.kind == kind].mean()))
    names = [f"agent-{what}-{name}" for what in ("auc", "prize", "twins") for name in MODELS]
    told = [f"{name.removeprefix('agent-')} {figures.show(name):.3f}" for name in names]
    print("agent-reported", ", ".join(told), flush=True)

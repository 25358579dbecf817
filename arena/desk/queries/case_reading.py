"""What the evidence of a case looks like, taken together, in words for whoever has to decide.

A reading follows from the figures by the rules below and decides nothing: a reviewer reads some of
the answers before they do.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from arena.desk.queries.case_models import Elsewhere, FavouredModel
from arena.desk.queries.people import limits_of
from leaderboard.models import Reliability

PASSES, FAILS = 0.8, 0.5
"""Who passes controls: R_c at least the first; who fails them: R_c below the second."""
FEW_CONTROLS = 4
"""With fewer nothing is said of controls."""
USUAL = 0.6
"""Who answers all else as the others do: the upper 95% limit of R_o is at least this."""
MAX_R_OF_CLICKERS = 0.5
"""Of somebody who does not read, the upper 95% limit of R."""
OWN_TASTE, NOISE = 3.0, 2.0
"""z of self-consistency from which on, and below which, own answers fit each other, or do not."""
STRONG_SIDES = 4.6
"""Evidence of going by sides, in nats: one honest person in a hundred reaches it."""


@dataclass(frozen=True)
class Sign:
    """One thing that the evidence says. tone: "good" where it speaks for them, "bad" where it
    speaks against, "" where it is neither."""

    tone: str
    text: str


@dataclass(frozen=True)
class Reading:
    """What the signs look like together, "" where nothing is clear; and each of them."""

    summary: str
    signs: list[Sign]


@dataclass(frozen=True)
class Facts:
    """What a reading rests on. passes, fails: of controls, both False with few of them; is_usual:
    answers all else as others do; clicks: R is as of somebody who does not read; is_steady,
    is_noise: own answers fit each other, or do not; lifted: the model that they favour or disfavour
    alone, None without one; goes_by_side: by the side of the screen."""

    passes: bool
    fails: bool
    is_usual: bool
    clicks: bool
    is_steady: bool
    is_noise: bool
    lifted: FavouredModel | None
    goes_by_side: bool


def find_facts(
    known: Reliability, favoured: list[FavouredModel], elsewhere: Elsewhere | None
) -> Facts:
    """The facts of a reading, by the thresholds above."""
    upper = limits_of(known.overall, known.overall_error)[1]
    upper_on_others = limits_of(known.on_others, known.on_others_error)[1]
    enough, z = known.controls >= FEW_CONTROLS, known.consistency
    telling = [one for one in favoured if one.is_telling]
    is_usual = upper_on_others >= USUAL
    is_one_model = is_usual and elsewhere is not None and elsewhere.is_usual
    sides = known.left + known.right
    return Facts(
        passes=enough and known.on_controls >= PASSES,
        fails=enough and known.on_controls < FAILS,
        is_usual=is_usual,
        clicks=upper < MAX_R_OF_CLICKERS,
        is_steady=z is not None and z >= OWN_TASTE,
        is_noise=z is not None and z < NOISE,
        lifted=telling[0] if telling and is_one_model else None,
        goes_by_side=known.side_evidence >= STRONG_SIDES
        and sides > 0
        and max(known.left, known.right) >= 0.8 * sides,
    )


def read_evidence(
    known: Reliability | None, favoured: list[FavouredModel], elsewhere: Elsewhere | None
) -> Reading:
    """The evidence of one contributor in words."""
    if known is None:
        return Reading("", [])
    facts = find_facts(known, favoured, elsewhere)
    return Reading(summarize_facts(facts), list_signs(known, facts, elsewhere))


def summarize_facts(facts: Facts) -> str:
    """What they look like together: the first of these that holds."""
    rigs = facts.lifted is not None
    model = {"model": facts.lifted.model.name if facts.lifted else ""}
    lifts = facts.lifted is not None and facts.lifted.is_lifted
    otherwise = facts.passes and not facts.is_usual
    looks = [
        (
            facts.goes_by_side,
            _("This looks like somebody who takes one side of the screen without reading."),
        ),
        (
            facts.fails and facts.clicks,
            _("This looks like somebody who answers without reading."),
        ),
        (
            rigs and lifts,
            _("This looks like somebody who reads, and helps %(model)s wherever it is shown.")
            % model,
        ),
        (
            rigs,
            _("This looks like somebody who reads, and harms %(model)s wherever it is shown.")
            % model,
        ),
        (
            otherwise and facts.is_steady,
            _(
                "This looks like somebody careful whose taste is not the others’. That is no "
                "reason to exclude them."
            ),
        ),
        (
            otherwise and facts.is_noise,
            _("This looks like somebody who answers controls with care, and nothing else."),
        ),
        (
            facts.passes and facts.is_usual,
            _("This looks like somebody who reads as others do."),
        ),
    ]
    unclear = _("The evidence does not point one way. Read some of the answers.")
    return next((words for holds, words in looks if holds), unclear)


def list_signs(known: Reliability, facts: Facts, elsewhere: Elsewhere | None) -> list[Sign]:
    """Each thing that the evidence says."""
    signs = [sign_of_controls(known, facts)]
    if facts.is_usual:
        signs.append(Sign("good", _("Everything else they answer much as the others do.")))
    else:
        signs.append(Sign("bad", _("Everything else they answer otherwise than the others do.")))
    signs.append(sign_of_consistency(known, facts))
    if facts.lifted is not None and elsewhere is not None:
        words = _(
            "They depart from the others over %(model)s alone: where it is not shown, the better "
            "model of the board wins %(share)s%% of their votes; of readers it would win "
            "%(expected)s%%."
        )
        figures = {
            "model": facts.lifted.model.name,
            "share": round(100 * elsewhere.share),
            "expected": round(100 * elsewhere.expected),
        }
        signs.append(Sign("bad", words % figures))
    if facts.goes_by_side:
        sides = {"left": known.left, "right": known.right}
        signs.append(
            Sign(
                "bad", _("Left is better %(left)s times, right is better %(right)s times.") % sides
            )
        )
    return signs


def sign_of_controls(known: Reliability, facts: Facts) -> Sign:
    """How they do on controls."""
    if not known.controls:
        return Sign("", _("They have met no control."))
    counts = {"passed": known.passed, "controls": known.controls}
    if facts.passes:
        return Sign("good", _("They pass the controls: %(passed)s of %(controls)s.") % counts)
    if facts.fails:
        return Sign("bad", _("They fail the controls: %(passed)s of %(controls)s passed.") % counts)
    return Sign("", _("Controls passed: %(passed)s of %(controls)s.") % counts)


def sign_of_consistency(known: Reliability, facts: Facts) -> Sign:
    """Whether their answers fit each other."""
    if known.consistency is None:
        return Sign("", _("Fewer than thirty votes: whether they fit each other is not known."))
    if facts.is_steady:
        return Sign(
            "good",
            _("Their own answers fit each other: they prefer the same models again and again."),
        )
    if facts.is_noise:
        return Sign(
            "bad", _("Their own answers do not even fit each other: no taste of their own shows.")
        )
    return Sign("", _("Their own answers fit each other a little."))

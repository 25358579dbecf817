"""What the figures of the bias panel mean, each in a sentence for its reader."""

from collections.abc import Sequence

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from leaderboard.boards.bias_details import ShareByPace, ShareEstimate, TopContributors
from leaderboard.boards.snapshot_details import StyleCoefficient
from leaderboard.pages.share_table import HALF, format_rounded, percent
from leaderboard.pages.uncertainty import in_points

MOST = 0.5
"""From this share on a few people are said to decide a board."""


def too_few_clusters() -> str:
    """Why a share has no limits."""
    return _(
        "All of these votes come from one contributor or are on one matchup: that is too little to "
        "say."
    )


def describe_left(estimate: ShareEstimate | None) -> str:
    """Of decided votes for the left response."""
    if estimate is None:
        return _("The sides of no decided vote are known.")
    if estimate.lower is None or estimate.upper is None:
        return too_few_clusters()
    if estimate.lower > HALF:
        preferred = _("People chose the left response more often than the right one.")
    elif estimate.upper < HALF:
        preferred = _("People chose the right response more often than the left one.")
    else:
        return _("No preference for a side shows.")
    meaning = _(
        "Sides are drawn at random for every vote that is judged here, so this favours no model; "
        "it makes ratings less certain."
    )
    return f"{preferred} {meaning}"


def describe_longer(estimate: ShareEstimate | None, worth: StyleCoefficient | None) -> str:
    """Of decided votes for the longer response; worth: of length, between equal models."""
    if estimate is None:
        return _("No decided vote has responses of different length.")
    if estimate.lower is None or estimate.upper is None:
        return too_few_clusters()
    if estimate.lower > HALF:
        said = _("People chose the longer response more often; better models may write longer.")
    elif estimate.upper < HALF:
        said = _("People chose the shorter response more often; better models may write shorter.")
    else:
        said = _("No preference for length shows.")
    if worth is None:
        return said
    value, low, high = (
        number_format(round(in_points(each) or 0.0), force_grouping=True).replace("-", "−")
        for each in (worth.worth, worth.lower, worth.upper)
    )
    between = _(
        "Between equal models, twice as many words are worth %(value)s points (%(low)s to "
        "%(high)s)."
    ) % {"value": value, "low": low, "high": high}
    return f"{said} {between}"


def describe_ties(estimate: ShareEstimate | None) -> str:
    """Of ties."""
    if estimate is not None and estimate.lower is None:
        return too_few_clusters()
    return _(
        "A tie counts half for each side: the more ties, the more votes it takes to tell models "
        "apart."
    )


def describe_change(by_pace: ShareByPace | None) -> str:
    """How the share changes with pace; empty where that cannot be said."""
    change = by_pace.change if by_pace else None
    if change is None or change.lower is None or change.upper is None:
        return ""
    if change.lower <= 0 <= change.upper:
        return _("No change with pace shows.")
    low, high = sorted((abs(change.lower), abs(change.upper)))
    values = {"difference": abs(change.difference), "low": low, "high": high}
    figures = {name: format_rounded(100 * value) for name, value in values.items()}
    if change.lower > 0:
        said = _(
            "In the fastest third of answers it is %(difference)s percentage points higher than "
            "in the slowest (%(low)s to %(high)s)."
        )
    else:
        said = _(
            "In the fastest third of answers it is %(difference)s percentage points lower than in "
            "the slowest (%(low)s to %(high)s)."
        )
    return said % figures


def describe_concentration(top: Sequence[TopContributors], people: int) -> str:
    """How much of the votes the most active made."""
    if not top:
        return _("There are too few contributors to look at the most active of them.")
    last = top[-1]
    said = ngettext(
        "The most active of %(people)s contributors made %(share)s of the votes; had all made "
        "equally many, it would be %(equal)s.",
        "The %(number)s most active of %(people)s contributors made %(share)s of the votes; had "
        "all made equally many, it would be %(equal)s.",
        last.contributors,
    ) % {
        "number": last.contributors,
        "people": number_format(people, force_grouping=True),
        "share": percent(last.share),
        "equal": percent(last.equal),
    }
    if last.upper is not None and last.share <= last.upper:
        return said + " " + _("That is no more than chance gives: nobody stands out.")
    if last.share >= MOST:
        return said + " " + _("This board is mostly the opinion of these few.")
    return said + " " + _("Most of this board is the opinion of the others.")


def describe_sides(models: int, apart: int, furthest: tuple[str, float] | None) -> str:
    """How often models stood left; furthest: name and share of the one furthest from one half."""
    if not models:
        return _("The sides of no vote are known.")
    if not apart or furthest is None:
        return _("No model stood on one side more often than chance explains.")
    said = ngettext(
        "One model stood on one side more often than chance explains: %(model)s, on the left in "
        "%(share)s of its votes.",
        "%(n)s models stood on one side more often than chance explains, most of all %(model)s, on "
        "the left in %(share)s of its votes.",
        apart,
    ) % {"n": apart, "model": furthest[0], "share": percent(furthest[1])}
    return said + " " + _("A preference for a side would move its rating.")


def describe_opponents(apart: int, furthest: tuple[str, str, float, float] | None) -> str:
    """Who met whom; furthest: model, opponent, its share, and what equal shares would be."""
    if furthest is None:
        return _("It takes three models to compare opponents.")
    if not apart:
        return _("No model met another one more or less often than chance explains.")
    model, opponent, share, expected = furthest
    return _(
        "Models did not meet all others equally often: %(opponent)s was the opponent in %(share)s "
        "of the votes on %(model)s, where equal shares would be %(expected)s. Ratings allow for "
        "that; win rates do not."
    ) % {
        "model": model,
        "opponent": opponent,
        "share": percent(share),
        "expected": percent(expected),
    }


def describe_categories(apart: int, furthest: tuple[str, str, float, float] | None) -> str:
    """Which categories models met; furthest: model, category, its share, and that of records."""
    if furthest is None:
        return _("The records are in no categories.")
    if not apart:
        return _("No model met a category more or less often than chance explains.")
    model, category, share, expected = furthest
    return _(
        "Models did not meet all categories alike: “%(category)s” is in %(share)s of the votes on "
        "%(model)s, and in %(expected)s of the records. Its rating leans to that extent on other "
        "prompts than those of the others."
    ) % {
        "model": model,
        "category": category,
        "share": percent(share),
        "expected": percent(expected),
    }

"""The wording of "not ranked": what heads the rows without a rank, and the reason of each."""

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from leaderboard.boards.coarse import MIN_SHOWN_VOTES
from leaderboard.models import Rating

# A status that no rating is stored with: a rounded one of few votes is not shown.
FEW_TO_ROUND = "too_few"
NOT_RANKED = _("Not ranked")
# What the column `status` says in downloads and docs.
STATUS_HELP = _("Why it is provisional or not ranked; usually empty.")
WHY_NOT_RANKED: dict[str, Promise] = {
    Rating.Status.UNDEFEATED: _("never lost or tied: there is no upper limit"),
    Rating.Status.WINLESS: _("never won or tied: there is no lower limit"),
    Rating.Status.SEPARATED: _("its wins and losses do not connect it to the others"),
    Rating.Status.NO_VOTES: _("no votes"),
    FEW_TO_ROUND: format_lazy(
        _("fewer than about {votes} votes: its rating is shown with more, or at the close"),
        votes=MIN_SHOWN_VOTES,
    ),
}


def explain_not_ranked(rating: Rating) -> str:
    """Why a row has no rank, for the page; empty where it is not that."""
    return str(WHY_NOT_RANKED.get(rating.status, ""))

"""The wording of "not ranked": what heads the rows without a rank, and the reason of each."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leaderboard.models import Rating

NOT_RANKED = _("Not ranked")
# What the column `status` says in downloads and docs.
STATUS_HELP = _("Why it is provisional or not ranked; usually empty.")
WHY_NOT_RANKED: dict[str, Promise] = {
    Rating.Status.UNDEFEATED: _("never lost or tied: there is no upper limit"),
    Rating.Status.WINLESS: _("never won or tied: there is no lower limit"),
    Rating.Status.SEPARATED: _("its wins and losses do not connect it to the others"),
    Rating.Status.NO_VOTES: _("no votes"),
}


def explain_not_ranked(rating: Rating) -> str:
    """Why a row has no rank, for the page; empty where it is not that."""
    return str(WHY_NOT_RANKED.get(rating.status, ""))

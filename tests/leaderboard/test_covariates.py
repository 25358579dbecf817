"""The covariates of style, declared once: docs follow, and older bundles do without later ones."""

from arena.events.models import COVARIATES, Response
from arena.events.models.style import describe_covariates
from arena.exports.bundle_tables import SOURCES
from leaderboard.votes.known_contents import STYLE_FIELDS
from tests.services import ROOT


def test_the_documentation_lists_the_covariates() -> None:
    text = (ROOT / "docs" / "ratings.md").read_text(encoding="utf-8")
    assert describe_covariates() == text.split("<!-- covariates -->\n")[1].split("<!-- end -->")[0]


def test_bundles_and_boards_have_every_covariate() -> None:
    names = tuple(covariate.name for covariate in COVARIATES)
    assert names == STYLE_FIELDS
    assert names[:5] == ("length", "headers", "bold", "lists", "code")
    (responses,) = (table for table in SOURCES if table.model is Response)
    assert responses.columns == ("id", "record_id", "competitor_id", "text", *names)

"""A pair of responses with its texts, as a list on the desk shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext

from arena.events.models import Matchup, MatchupResponse, Response

SIDE_LETTERS = "ABCDEFGHI"


@dataclass(frozen=True)
class SideView:
    """One response: the letter it had on the screen (empty where nobody saw it), its model's name
    (empty where it has none) and the response itself."""

    letter: str
    model: str
    response: Response

    @property
    def name(self) -> str:
        """What to call it: by its model, else by its letter."""
        if self.model or not self.letter:
            return self.model or gettext("A response")
        return gettext("Response %(letter)s") % {"letter": self.letter}


def prefetch_texts(path: str) -> "Prefetch[str, QuerySet[MatchupResponse], str]":
    """Prefetch the responses of the matchups at the end of this path."""
    places = MatchupResponse.objects.select_related("response__competitor")
    return Prefetch(f"{path}__places", places.order_by("position"))


def view_sides(matchup: Matchup, order: Sequence[int] | None) -> list[SideView]:
    """The matchup's responses as somebody saw them from left to right, else in canonical order."""
    places = list(matchup.places.all())
    letters = SIDE_LETTERS if order is not None else " " * len(places)
    return [
        SideView(letter.strip(), competitor_name(places[position]), places[position].response)
        for letter, position in zip(letters, order or range(len(places)), strict=False)
    ]


def names_in_order(sides: Sequence[SideView], order: Sequence[int] | None) -> list[str]:
    """What to call the sides, in canonical order."""
    placed = sorted(zip(order or range(len(sides)), sides, strict=False), key=lambda one: one[0])
    return [side.name for _position, side in placed]


def competitor_name(place: MatchupResponse) -> str:
    """The name of a response's model; a control's may belong to nobody."""
    competitor = place.response.competitor
    return competitor.name if competitor else ""

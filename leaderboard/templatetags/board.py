"""Template filters of the board."""

from django import template

from leaderboard.boards.columns import BoardColumn, BoardRow

register = template.Library()


@register.filter
def fact(row: BoardRow, column: BoardColumn) -> str:
    """What the page shows of a row in a column: `{{ row|fact:column }}`."""
    return column.display(row)

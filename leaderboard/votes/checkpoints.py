"""Results computed from exactly the stored rows, from which the next refresh continues."""

from dataclasses import replace
from typing import Any

from leaderboard.votes.store import ColumnStore, StoreState


class Checkpoints:
    """Results by name, as JSON, kept beside the columns for as long as none of them changes."""

    def __init__(self, store: ColumnStore, state: StoreState) -> None:
        self.store, self.state = store, state

    def get(self, name: str) -> Any:
        """The result stored under this name; None if there is none or a row has changed since."""
        return self.state.checkpoints.get(name)

    def keep(self, found: dict[str, Any]) -> None:
        """Replace all stored results by these."""
        self.store.write_state(replace(self.state, checkpoints=found))

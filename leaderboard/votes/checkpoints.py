"""What was computed from exactly the stored rows, so that the next time begins there."""

from dataclasses import replace
from typing import Any

from leaderboard.votes.store import State, Store


class Checkpoints:
    """Results by name, as JSON, kept beside the columns for as long as none of them changes."""

    def __init__(self, store: Store, state: State) -> None:
        self.store, self.state = store, state

    def get(self, name: str) -> Any:
        """What was kept under this name; None where nothing was, or a row has changed since."""
        return self.state.checkpoints.get(name)

    def keep(self, found: dict[str, Any]) -> None:
        """Keep these, and nothing from before."""
        self.store.write_state(replace(self.state, checkpoints=found))

"""Where an event's votes are kept as columns between two refreshes: derived data on the disk.

The rows are cut into blocks, one file each, which are never changed once written; a small
`state.json`, replaced in one step, names the files that belong together and what they were read
from. Whoever dies half-way leaves the earlier state, and whatever does not fit is read anew.
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.signedinteger[Any]]
Columns = dict[str, Column]

KINDS: dict[str, Any] = {
    "seq": np.int32,  # place in the ledger
    "question": np.int8,  # index, -1: the judgment answers no preference
    "first": np.int32,  # competitor index, -1: a control's response without one
    "second": np.int32,
    "outcome": np.int8,  # -3 … 3, positive where first is better
    "left": np.int8,  # 1: first stood left, -1: second did, 0: unknown
    "contributor": np.int32,  # primary key of the enrollment
    "matchup": np.int32,  # primary key
    "origin": np.int8,  # index in ORIGINS
    "hour": np.int32,  # hours since 1970, -1: unknown
}
BLOCK = 1 << 18
"""Rows of a full block."""


@dataclass(frozen=True)
class State:
    """What the kept columns were read from.

    key: everything that decides how rows are read; head, digest: the ledger up to there;
    exclusions: those in force; competitors, questions: primary keys in index order; blocks:
    (file, rows); checkpoints: what else was computed from exactly these rows, by name.
    """

    key: str = ""
    head: int = 0
    digest: str = ""
    exclusions: tuple[int, ...] = ()
    competitors: tuple[int, ...] = ()
    questions: tuple[int, ...] = ()
    blocks: tuple[tuple[str, int], ...] = ()
    checkpoints: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(rows for _, rows in self.blocks)


def empty(rows: int = 0) -> Columns:
    """Columns of so many rows, not yet filled."""
    return {name: np.empty(rows, dtype=kind) for name, kind in KINDS.items()}


class Store:
    """The files of one event."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def state(self) -> State | None:
        """What is there; None where nothing is, or nothing that can be read."""
        try:
            kept = json.loads((self.folder / "state.json").read_text())
            for name in ("exclusions", "competitors", "questions"):
                kept[name] = tuple(kept[name])
            kept["blocks"] = tuple((name, rows) for name, rows in kept["blocks"])
            return State(**kept)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def read(self, state: State) -> Columns | None:
        """The rows of this state; None where a file is not what the state says."""
        columns = empty(state.rows)
        start = 0
        for name, rows in state.blocks:
            parts = [column[start : start + rows].data for column in columns.values()]
            try:
                with (self.folder / name).open("rb") as file:
                    size = os.fstat(file.fileno()).st_size
                    if size != sum(part.nbytes for part in parts):
                        return None
                    for part in parts:
                        file.readinto(part)
            except FileNotFoundError:
                return None
            start += rows
        return columns

    def write(self, columns: Columns, state: State, unchanged: int) -> State:
        """Keep these rows, of which the first `unchanged` are in full blocks as they were."""
        self.folder.mkdir(parents=True, exist_ok=True)
        blocks, start = [], 0
        for name, rows in state.blocks:
            if rows < BLOCK or start + rows > unchanged:
                break
            blocks.append((name, rows))
            start += rows
        for begin in range(start, len(columns["seq"]), BLOCK):
            part = slice(begin, begin + BLOCK)
            blocks.append((self.write_block(columns, part), len(columns["seq"][part])))
        state = replace(state, blocks=tuple(blocks))
        self.write_state(state)
        return state

    def write_block(self, columns: Columns, part: slice) -> str:
        """One new file, on the disk before anything names it."""
        path = self.folder / f"{uuid4().hex}.block"
        with path.open("wb") as file:
            for column in columns.values():
                file.write(np.ascontiguousarray(column[part]).data)
            file.flush()
            os.fsync(file.fileno())
        return path.name

    def write_state(self, state: State) -> None:
        """Make this state the one that counts, and delete the files it no longer names."""
        draft = self.folder / f"{uuid4().hex}.json"
        draft.write_text(json.dumps(asdict(state)))
        draft.replace(self.folder / "state.json")
        named = {name for name, _ in state.blocks}
        for path in self.folder.glob("*.block"):
            if path.name not in named:
                path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

"""An event's votes stored on disk as columns between refreshes: derived data.

The rows are cut into blocks, one file each, which are never changed once written; a small
`state.json`, replaced in one step, names the files that belong together and what they were read
from. Whoever dies half-way leaves the earlier state, and whatever does not fit is read anew.
"""

import json
import os
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.signedinteger[Any]]
Columns = dict[str, Column]

COLUMN_TYPES: dict[str, Any] = {
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
    "took": np.int32,  # milliseconds from shown to answered, at most an hour, -1: unknown
}
COLUMN_SIZES = [np.dtype(kind).itemsize for kind in COLUMN_TYPES.values()]
ROW_BYTES = sum(COLUMN_SIZES)
"""Bytes of a row."""
COLUMN_OFFSETS = dict(zip(COLUMN_TYPES, accumulate(COLUMN_SIZES, initial=0), strict=False))
"""Byte offset of each column in a row."""
BLOCK_ROWS = 1 << 18
"""Rows of a full block."""


@dataclass(frozen=True)
class StoreState:
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
        """Number of rows."""
        return sum(rows for _, rows in self.blocks)

    @property
    def settled(self) -> int:
        """Number of rows in full blocks, which are not rewritten when rows are added."""
        return sum(rows for _, rows in self.blocks if rows == BLOCK_ROWS)

    def rewritten_from(self, row: int) -> int:
        """First row to rewrite if the rows before this one are unchanged: the start of a block."""
        return row // BLOCK_ROWS * BLOCK_ROWS if row < self.settled else self.settled


def empty_columns(rows: int = 0, names: Iterable[str] = COLUMN_TYPES) -> Columns:
    """Uninitialised columns of this many rows."""
    return {name: np.empty(rows, dtype=COLUMN_TYPES[name]) for name in names}


def concatenate(parts: Sequence[Columns]) -> Columns:
    """The concatenated rows of all parts, which are emptied."""
    return {name: np.concatenate([part.pop(name) for part in parts]) for name in COLUMN_TYPES}


def sort_by_ledger(columns: Columns) -> Columns:
    """The same rows in ledger order, in place."""
    if not (np.diff(columns["seq"]) > 0).all():
        order = np.lexsort([columns["question"], columns["seq"]])
        for name in columns:
            columns[name] = columns[name][order]
    return columns


class ColumnStore:
    """The files of one event."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def state(self) -> StoreState | None:
        """The stored state; None if there is none or it cannot be read."""
        try:
            kept = json.loads((self.folder / "state.json").read_text())
            for name in ("exclusions", "competitors", "questions"):
                kept[name] = tuple(kept[name])
            kept["blocks"] = tuple((name, rows) for name, rows in kept["blocks"])
            state = StoreState(**kept)
            for name, rows in state.blocks:
                if (self.folder / name).stat().st_size != rows * ROW_BYTES:
                    return None
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return state

    def read(
        self, state: StoreState, names: Collection[str] = COLUMN_TYPES, start: int = 0
    ) -> Columns:
        """Some columns, from a row on that starts a block."""
        columns = empty_columns(state.rows - start, names)
        begin = -start
        for file_name, rows in state.blocks:
            if begin >= 0:
                with (self.folder / file_name).open("rb", buffering=0) as file:
                    for name, kind in COLUMN_TYPES.items():
                        if name in columns:
                            file.readinto(columns[name][begin : begin + rows].data)
                        else:
                            file.seek(rows * np.dtype(kind).itemsize, os.SEEK_CUR)
            begin += rows
        return columns

    def select(self, state: StoreState, name: str, mask: npt.NDArray[np.bool_]) -> Column:
        """The rows of one column where the mask is true, read block by block."""
        kind = np.dtype(COLUMN_TYPES[name])
        column = np.empty(np.count_nonzero(mask), dtype=kind)
        block = np.empty(max((rows for _, rows in state.blocks), default=0), dtype=kind)
        begin = filled = 0
        for file_name, rows in state.blocks:
            with (self.folder / file_name).open("rb", buffering=0) as file:
                file.seek(rows * COLUMN_OFFSETS[name])
                file.readinto(block[:rows].data)
            some = block[:rows][mask[begin : begin + rows]]
            column[filled : filled + len(some)] = some
            begin, filled = begin + rows, filled + len(some)
        return column

    def write(self, columns: Columns, state: StoreState, start: int) -> StoreState:
        """Write these rows from `start` (the start of a block) on; earlier blocks stay."""
        self.folder.mkdir(parents=True, exist_ok=True)
        blocks: list[tuple[str, int]] = []
        rows = 0
        while rows < start:
            blocks.append(state.blocks[len(blocks)])
            rows += blocks[-1][1]
        for begin in range(0, len(columns["seq"]), BLOCK_ROWS):
            part = slice(begin, begin + BLOCK_ROWS)
            blocks.append((self.write_block(columns, part), len(columns["seq"][part])))
        state = replace(state, blocks=tuple(blocks))
        self.write_state(state)
        return state

    def write_block(self, columns: Columns, part: slice) -> str:
        """Write a new block file and sync it to disk before the state refers to it."""
        path = self.folder / f"{uuid4().hex}.block"
        with path.open("wb") as file:
            for column in columns.values():
                file.write(np.ascontiguousarray(column[part]).data)
            file.flush()
            os.fsync(file.fileno())
        return path.name

    def write_state(self, state: StoreState) -> None:
        """Replace the stored state, and delete block files that it does not refer to."""
        draft = self.folder / f"{uuid4().hex}.json"
        draft.write_text(json.dumps(asdict(state)))
        draft.replace(self.folder / "state.json")
        named = {name for name, _ in state.blocks}
        for path in self.folder.glob("*.block"):
            if path.name not in named:
                path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

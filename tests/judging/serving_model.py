"""What serving and recording should do, in plain Python: no database, no chance, one row each.

`test_machine` does the same things to this model and to the real code, and compares.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

UNDO_GRACE = timedelta(minutes=2)
RESERVE_LEASE = timedelta(minutes=10)


@dataclass
class Item:
    """A matchup."""

    is_ordinary: bool
    record: int
    # Of the models of its two responses, in canonical order; None of a control's.
    pair: tuple[int | None, ...] = ()
    is_in_service: bool = True
    # A lifted exclusion gave back what somebody else had judged in the meantime.
    is_overfull: bool = False


@dataclass
class Person:
    """A contributor."""

    is_excluded: bool = False
    has_left: bool = False


@dataclass
class Lease:
    """An assignment with its judgments."""

    person: int
    item: int
    ordinal: int
    state: str
    reserved_at: datetime
    lease_until: datetime
    holds: bool
    shown_at: datetime | None = None
    finished_at: datetime | None = None
    judged_at: datetime | None = None
    # Outcomes in the order in which they were acknowledged; the last one stands.
    answers: list[int] = field(default_factory=list)
    is_answer_excluded: bool = False
    is_flagged: bool = False

    def is_live(self) -> bool:
        return self.state in ("reserved", "shown")


@dataclass
class Campaign:
    """One event: what is in it, and what happened."""

    overlap: int
    lease: timedelta
    undo: timedelta
    closes_at: datetime | None
    grace: timedelta
    now: datetime
    # Open, with ranks frozen or not: from closing on no answer is in time.
    is_running: bool = True
    items: dict[int, Item] = field(default_factory=dict)
    people: dict[int, Person] = field(default_factory=dict)
    leases: dict[int, Lease] = field(default_factory=dict)

    # --- what is the case ---------------------------------------------------------------------
    def is_open(self) -> bool:
        return self.is_running and (self.closes_at is None or self.now < self.closes_at)

    def takes_answers(self) -> bool:
        in_grace = self.closes_at is None or self.now < self.closes_at + self.grace
        return self.is_running and in_grace

    def is_in_time(self, lease: Lease) -> bool:
        return self.is_open() or (self.takes_answers() and self.now < lease.lease_until)

    def count_held(self, item: int) -> int:
        return sum(lease.holds for lease in self.leases.values() if lease.item == item)

    def count_in_service(self) -> int:
        return sum(item.is_in_service for item in self.items.values())

    def open_slots(self, item: int) -> int:
        if not self.items[item].is_ordinary:
            return 0
        return max(0, self.overlap - self.count_held(item))

    def of_person(self, person: int) -> Iterator[Lease]:
        return (lease for lease in self.leases.values() if lease.person == person)

    def same(self, lease: Lease) -> Iterator[Lease]:
        """The person's other assignments of the same matchup."""
        for other in self.of_person(lease.person):
            if other.item == lease.item and other is not lease:
                yield other

    def has_met(self, person: int, item: int) -> bool:
        return any(
            lease.item == item and lease.state != "expired" for lease in self.of_person(person)
        )

    def can_be_served(self, person: int) -> bool:
        """Whether an unmet matchup has an open slot, or is somebody else's unseen reserve."""
        for key, item in self.items.items():
            if item.is_ordinary and item.is_in_service and not self.has_met(person, key):
                if self.open_slots(key):
                    return True
                for lease in self.leases.values():
                    if lease.item == key and lease.state == "reserved" and lease.holds:
                        return True
        return False

    def should_hold(self, lease: Lease) -> bool:
        return self.items[lease.item].is_ordinary and not self.people[lease.person].is_excluded

    def counts(self, lease: Lease) -> bool:
        """Whether the standing judgment of this assignment counts."""
        excluded = lease.is_answer_excluded or self.people[lease.person].is_excluded
        return bool(lease.answers) and not excluded

    def board(self) -> dict[int, tuple[int, int, int]]:
        """Wins, ties and losses by model: of the last answers that count to ordinary matchups."""
        counts: dict[int, list[int]] = {}
        for lease in self.leases.values():
            item = self.items[lease.item]
            if not item.is_ordinary or not self.counts(lease):
                continue
            sign = (lease.answers[-1] > 0) - (lease.answers[-1] < 0)
            for model, mine in zip(item.pair, (sign, -sign), strict=True):
                assert model is not None
                counts.setdefault(model, [0, 0, 0])[1 - mine] += 1
        return {model: (w, t, x) for model, (w, t, x) in counts.items()}

    # --- what people do -----------------------------------------------------------------------
    def expire_lapsed(self, leases: Iterator[Lease]) -> None:
        for lease in leases:
            if lease.state == "shown" and lease.lease_until <= self.now:
                self.expire(lease)

    def expire(self, lease: Lease) -> None:
        lease.state, lease.holds, lease.finished_at = "expired", False, self.now

    def answer(self, lease: Lease, outcome: int, replaces: str) -> str:
        """Submit an answer; what comes of it."""
        result = self.decide(lease, outcome, replaces)
        if result in ("judged", "late", "repeated", "revised"):
            self.end_other_skips(lease)
        return result

    def decide(self, lease: Lease, outcome: int, replaces: str) -> str:
        in_time = self.is_in_time(lease)
        if lease.state == "shown":
            return self.store(lease, outcome, counts=in_time)
        if lease.state == "expired":
            if any(other.state == "done" for other in self.same(lease)):
                return "already_judged"
            self.expire_duplicates(lease)
            return self.store(lease, outcome, counts=in_time and self.reclaim(lease))
        if lease.state == "skipped":
            if not self.is_open() or lease.lease_until <= self.now:
                return "skip_is_final"
            if replaces != "skip":
                return "changeable"
            lease.holds, lease.is_flagged = False, False
            return self.store(lease, outcome, counts=self.reclaim(lease))
        return self.revise(lease, outcome, replaces)

    def store(self, lease: Lease, outcome: int, *, counts: bool) -> str:
        lease.state, lease.finished_at, lease.judged_at = "done", self.now, self.now
        lease.answers.append(outcome)
        if not counts:
            lease.holds, lease.is_answer_excluded = False, True
        return "judged" if counts else "late"

    def reclaim(self, lease: Lease) -> bool:
        item = self.items[lease.item]
        if not item.is_in_service or (item.is_ordinary and not self.open_slots(lease.item)):
            return False
        lease.holds = self.should_hold(lease)
        return True

    def expire_duplicates(self, lease: Lease) -> None:
        for other in self.same(lease):
            if other.is_live():
                self.expire(other)

    def revise(self, lease: Lease, outcome: int, replaces: str) -> str:
        if lease.answers[-1] == outcome:
            return "repeated"
        assert lease.judged_at is not None
        until = lease.judged_at + self.undo
        until = min(until, self.closes_at) if self.closes_at else until
        until += UNDO_GRACE if self.undo else timedelta(0)
        if self.now >= until or not self.is_open():
            return "undo_over"
        if replaces != str(len(lease.answers) - 1):
            return "changeable"
        lease.answers.append(outcome)
        return "revised"

    def skip(self, lease: Lease) -> str:
        self.expire_duplicates(lease)
        if lease.state == "done":
            return "already_judged"
        if lease.state == "skipped":
            return "repeated"
        had_slot = lease.state == "shown"
        lease.state, lease.finished_at = "skipped", self.now
        lease.lease_until = self.now
        if had_slot and self.undo:
            lease.lease_until += self.undo + UNDO_GRACE
        else:
            lease.holds = False
        self.end_other_skips(lease)
        return "skipped"

    def end_other_skips(self, lease: Lease) -> None:
        for other in self.of_person(lease.person):
            if other is not lease and other.state == "skipped" and other.lease_until > self.now:
                other.lease_until, other.holds = self.now, False

    def sweep(self) -> None:
        """The sweeper, but for the reserves, which the caller reads."""
        self.expire_lapsed(iter(self.leases.values()))
        for lease in self.leases.values():
            if lease.state == "skipped" and lease.lease_until <= self.now:
                lease.holds = False

    def is_idle(self, person: int) -> bool:
        """Whether the reserves of this person return when the sweeper comes."""
        if not self.is_open():
            return True
        mine = list(self.of_person(person))
        seen = [at for lease in mine for at in (lease.shown_at, lease.finished_at) if at]
        return not seen or max(seen) + RESERVE_LEASE <= self.now

    # --- what reviewers and organizers do ---------------------------------------------------
    def exclude_answer(self, lease: Lease) -> None:
        lease.is_answer_excluded, lease.holds = True, False

    def reinstate_answer(self, lease: Lease) -> None:
        lease.is_answer_excluded = False
        self.hold_again([lease])

    def exclude_person(self, person: int) -> None:
        self.people[person].is_excluded = True
        for lease in self.of_person(person):
            lease.holds = False

    def reinstate_person(self, person: int) -> None:
        self.people[person].is_excluded = False
        self.hold_again(list(self.of_person(person)))

    def hold_again(self, leases: list[Lease]) -> None:
        for lease in leases:
            if self.should_hold(lease) and (lease.is_live() or self.counts(lease)):
                lease.holds = True
                if self.count_held(lease.item) > self.overlap:
                    self.items[lease.item].is_overfull = True

    def close(self) -> None:
        """An organizer ends judging, but for what somebody may still answer."""
        self.closes_at = min(self.closes_at or self.now, self.now)
        on_screens = (lease for lease in self.leases.values() if lease.state == "shown")
        if not self.takes_answers() or all(x.lease_until <= self.now for x in on_screens):
            self.is_running = False

    def advance(self) -> None:
        """The event's clock: it is closed once the grace period is over."""
        self.is_running = self.takes_answers()

    def leave(self, person: int) -> None:
        """A contributor's account is erased; the caller drops their reserves."""
        self.people[person].has_left = True
        for lease in self.of_person(person):
            if lease.state == "shown":
                self.expire(lease)

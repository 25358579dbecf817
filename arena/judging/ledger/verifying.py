"""Verifying: whether everything that boards follow from is as the ledger has it.

Three things are compared: the chain with its entries, each batch of judgments with its rows, and
the latest entry about each row with the row. Rows that lack an entry are looked for at the end.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import groupby

from django.db.models import Max

from arena.events.ledger import (
    DECISION_KIND,
    KEY_KIND,
    MATCHUP_KIND,
    REGISTRATION_KIND,
    Content,
    EntryKind,
    has_entry,
    split_keys,
)
from arena.events.models import Control, Decision, LedgerEntry, Registration
from arena.judging.ledger.chain import (
    ROW_BYTES,
    BatchDigest,
    digest_batch,
    digest_entry,
    find_out_of_order,
    iter_sealed_rows,
)
from arena.judging.ledger.kinds import (
    EXCLUSION_KIND,
    JUDGMENTS_KIND,
    KINDS,
    START_KIND,
    describe_batch,
)
from arena.judging.models import Exclusion, Judgment, LedgerBatch, LedgerCheck

# Entries, and about how many judgments, verified before somebody may stop.
ENTRIES_AT_ONCE = 1_000
JUDGMENTS_AT_ONCE = 20_000
# Of a published head, at least so many digits are needed to find it.
MIN_HEAD_DIGITS = 12


@dataclass(frozen=True)
class Difference:
    """The first row that is not as the ledger has it."""

    # The kind of entry, and the row's primary key; of a judgment its place in the ledger.
    kind: str
    subject: int
    message: str

    def __str__(self) -> str:
        return self.message


def verify_ledger(event_id: int, *, without: frozenset[str] = frozenset()) -> Difference | None:
    """Verify all of an event's ledger; None where everything is as it was written.

    without: kinds of entries whose rows are not here, of which the chain alone is verified.
    """
    if not LedgerEntry.objects.sealed().filter(event=event_id).exists():
        return verify_batches(event_id)
    verifying = LedgerPass(event_id, without=without)
    while not verifying.is_done:
        if difference := verifying.advance():
            return difference
    return find_lost_head(event_id) or find_unwritten(event_id)


def find_lost_head(event_id: int) -> Difference | None:
    """The head that was verified last and is not in the chain any more."""
    check = LedgerCheck.objects.filter(event=event_id).exclude(verified_head="").first()
    if check is None or has_head(event_id, check.verified_head):
        return None
    message = f"The ledger has lost its end: the head {check.verified_head} is not in it any more."
    return Difference(START_KIND.name, event_id, message)


def has_head(event_id: int, digest: str) -> bool:
    """Whether the chain has come by a head, which may be given by its first digits."""
    entries = LedgerEntry.objects.sealed().filter(event=event_id)
    return len(digest) >= MIN_HEAD_DIGITS and entries.filter(digest__startswith=digest).exists()


def verify_batches(event_id: int) -> Difference | None:
    """Verify the batches of judgments by themselves, as they were before there were entries."""
    digest = ""
    for batch in LedgerBatch.objects.filter(event=event_id).order_by("first_seq"):
        if difference := verify_rows(event_id, digest, describe_batch(batch)):
            return difference
        digest = batch.digest
    return None


@dataclass
class LedgerPass:
    """A walk along an event's chain: how far it has come, and the digest there."""

    event_id: int
    number: int = 0
    digest: str = ""
    without: frozenset[str] = frozenset()
    is_done: bool = field(default=False, init=False)

    def advance(self) -> Difference | None:
        """Verify some more entries, and what they are about."""
        sealed = LedgerEntry.objects.sealed().filter(event=self.event_id)
        entries = list(sealed.filter(number__gt=self.number)[:ENTRIES_AT_ONCE])
        self.is_done = len(entries) < ENTRIES_AT_ONCE
        judgments, passed = 0, []
        for entry in entries:
            if difference := self.follow(entry):
                return difference
            passed.append(entry)
            if entry.kind == JUDGMENTS_KIND.name:
                if difference := verify_batch(entry):
                    return difference
                judgments += entry.content["last"] - entry.content["first"] + 1
                if judgments >= JUDGMENTS_AT_ONCE and entry is not entries[-1]:
                    self.is_done = False
                    break
        return find_changed(self.event_id, (e for e in passed if e.kind not in self.without))

    def follow(self, entry: LedgerEntry) -> Difference | None:
        """Verify that this entry is the next one of the chain."""
        assert entry.number is not None
        if entry.number != self.number + 1:
            return say(entry, f"Entry {self.number + 1} of the ledger is missing.")
        if digest_entry(self.digest, entry) != entry.digest:
            return say(entry, f"Entry {entry.number} of the ledger is not as it was written.")
        self.number, self.digest = entry.number, entry.digest
        return None


def say(entry: LedgerEntry, message: str) -> Difference:
    """A difference in what an entry is about."""
    return Difference(entry.kind, entry.subject, message)


def verify_batch(entry: LedgerEntry) -> Difference | None:
    """Verify a batch of judgments against its entry, and its rows against the batch."""
    first, last = entry.content["first"], entry.content["last"]
    batch = LedgerBatch.objects.filter(event=entry.event_id, first_seq=first).first()
    if batch is None or describe_batch(batch) != entry.content:
        state = "missing" if batch is None else "not as it was written"
        return say(entry, f"The batch of judgments {first} to {last} is {state}.")
    earlier = LedgerEntry.objects.filter(
        event=entry.event_id, kind=JUDGMENTS_KIND.name, subject__lt=first
    )
    before = earlier.order_by("-subject").first()
    previous = before.content["digest"] if before else ""
    return verify_rows(entry.event_id, previous, entry.content)


def verify_rows(event_id: int, previous: str, content: Content) -> Difference | None:
    """Verify the judgments of a batch: each as it was sealed, standing if it is the latest."""
    first, last = content["first"], content["last"]
    if digest_batch(previous, event_id, first, last).hexdigest() != content["digest"]:
        return name_row(event_id, first, last)
    place = find_out_of_order(event_id, first, last)
    if place is not None:
        message = f"Judgment {place} of the ledger counts where it should not, or the reverse."
        return Difference(JUDGMENTS_KIND.name, place, message)
    return None


def name_row(event_id: int, first: int, last: int) -> Difference:
    """The first judgment of a batch that is not as it was sealed, as far as the batch can tell."""
    batch = LedgerBatch.objects.filter(event=event_id, first_seq=first).first()
    kept = bytes(batch.row_digests or b"") if batch else b""
    digests = BatchDigest("")
    rows = {row[0]: digests.add(row) for row in iter_sealed_rows(event_id, first, last)}
    for offset, place in enumerate(range(first, last + 1)):
        sealed = kept[offset * ROW_BYTES : (offset + 1) * ROW_BYTES]
        if place not in rows:
            message = f"Judgment {place} of the ledger is missing."
            return Difference(JUDGMENTS_KIND.name, place, message)
        if kept and rows[place] != sealed:
            message = f"Judgment {place} of the ledger is not as it was sealed."
            return Difference(JUDGMENTS_KIND.name, place, message)
    message = f"The judgments {first} to {last} of the ledger are not as they were sealed."
    return Difference(JUDGMENTS_KIND.name, first, message)


def find_changed(event_id: int, entries: Iterable[LedgerEntry]) -> Difference | None:
    """The first row that differs from its latest entry, of those that these are the latest of."""
    by_kind = sorted((entry for entry in entries if entry.kind in KINDS), key=lambda e: e.kind)
    for name, group in groupby(by_kind, key=lambda entry: entry.kind):
        numbers = {entry.subject: entry.number for entry in group}
        for keys in split_keys(sorted(numbers)):
            if difference := compare_rows(event_id, KINDS[name], keys, numbers):
                return difference
    return None


def compare_rows(
    event_id: int, kind: EntryKind, keys: Collection[int], numbers: dict[int, int | None]
) -> Difference | None:
    """Compare rows with their latest entries, where those are these or still wait."""
    latest, rows = read_latest(event_id, kind, keys), kind.read(keys)
    for key in keys:
        if latest[key].number not in (None, numbers[key]):
            continue
        if not differing_fields(latest[key].content, rows.get(key, {})):
            continue
        # Read again: a change and its entry may have been committed between the two statements.
        entry, row = read_latest(event_id, kind, [key])[key], kind.read([key]).get(key, {})
        if fields := differing_fields(entry.content, row):
            return say(entry, f"{kind.noun} {key} is not as the ledger has it: {fields}.")
    return None


def read_latest(event_id: int, kind: EntryKind, keys: Collection[int]) -> dict[int, LedgerEntry]:
    """The latest entry about each of these rows."""
    entries = LedgerEntry.objects.filter(event=event_id, kind=kind.name, subject__in=keys)
    latest: dict[int, LedgerEntry] = {}
    for entry in entries.newest_first():
        latest.setdefault(entry.subject, entry)
    return latest


def differing_fields(content: Content, row: Content) -> str:
    """What an entry says and the row does not, in words; "" where they agree.

    Covariates of style that were declared after an entry was written are not in it.
    """
    if bool(content) != bool(row):
        return "it is gone" if content else "it is there"
    if content.get("style"):
        known = {name: row["style"].get(name) for name in content["style"]}
        row = row | {"style": known}
    return ", ".join(name for name in content if content[name] != row.get(name))


def find_unwritten(event_id: int) -> Difference | None:
    """A row of which the ledger should have an entry, and has none; None while what was sealed
    before there were entries is still being entered."""
    waiting = LedgerEntry.objects.waiting().filter(event=event_id, kind=START_KIND.name)
    if waiting.exists():
        return None
    return (
        find_unwritten_judgments(event_id)
        or find_unwritten_exclusion(event_id)
        or find_unwritten_key(event_id)
        or find_unwritten_decision(event_id)
    )


def find_unwritten_judgments(event_id: int) -> Difference | None:
    """Judgments or batches with a number beyond what the ledger has sealed."""
    # These before the entries, which come with them: what is sealed in between is no difference.
    places = Judgment.objects.filter(event=event_id).aggregate(last=Max("ledger_seq"))["last"]
    batches = LedgerBatch.objects.filter(event=event_id)
    starts = set(batches.values_list("first_seq", flat=True))
    entries = LedgerEntry.objects.filter(event=event_id, kind=JUDGMENTS_KIND.name)
    written = set(entries.values_list("subject", flat=True))
    if strange := starts - written:
        message = f"The batch from judgment {min(strange)} is not in the ledger."
        return Difference(JUDGMENTS_KIND.name, min(strange), message)
    last = entries.order_by("-subject").first()
    sealed = last.content["last"] if last else 0
    if (places or 0) > sealed or Judgment.objects.filter(event=event_id, ledger_seq=0).exists():
        message = f"A judgment has place {places}, and the ledger ends at {sealed}."
        return Difference(JUDGMENTS_KIND.name, places or 0, message)
    return None


def find_unwritten_exclusion(event_id: int) -> Difference | None:
    """An exclusion in force that the ledger does not have, of something sealed."""
    exclusions = Exclusion.objects.in_force().filter(event=event_id)
    exclusions = exclusions.exclude(judgment__isnull=False, judgment__ledger_seq=None)
    found = exclusions.filter(~has_entry(event_id, EXCLUSION_KIND)).order_by("pk").first()
    if found is None:
        return None
    message = f"Exclusion {found.pk} is not in the ledger."
    return Difference(EXCLUSION_KIND.name, found.pk, message)


def find_unwritten_key(event_id: int) -> Difference | None:
    """A key of a judged matchup that the ledger does not have."""
    controls = Control.objects.filter(matchup__event=event_id).filter(
        has_entry(event_id, MATCHUP_KIND, "matchup_id"),
        ~has_entry(event_id, KEY_KIND, "matchup_id"),
    )
    found = controls.order_by("pk").first()
    if found is None:
        return None
    message = f"The key of matchup {found.matchup_id} is not in the ledger."
    return Difference(KEY_KIND.name, found.matchup_id, message)


def find_unwritten_decision(event_id: int) -> Difference | None:
    """A decision, or the registration, that the ledger does not have."""
    registrations = Registration.objects.filter(event=event_id)
    if registrations.filter(~has_entry(event_id, REGISTRATION_KIND, "event_id")).exists():
        message = f"The registration of event {event_id} is not in the ledger."
        return Difference(REGISTRATION_KIND.name, event_id, message)
    decisions = Decision.objects.filter(event=event_id)
    found = decisions.filter(~has_entry(event_id, DECISION_KIND)).order_by("pk").first()
    if found is None:
        return None
    return Difference(DECISION_KIND.name, found.pk, f"Decision {found.pk} is not in the ledger.")

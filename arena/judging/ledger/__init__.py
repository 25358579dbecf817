"""The ledger: committed judgments get their sequence number, and what boards follow from is sealed
in a hash chain and verified.

Ids do not commit in order, so nothing that reads "everything up to here" may use them; the
ledger sequence is given by a single writer to rows that are already committed. Everything that is
computed from judgments reads up to a ledger head.

Entries about records, models and keys are made in `arena/events/ledger.py`, where those change.
"""

from arena.judging.ledger.sealing import get_ledger_head, seal_event, seal_waiting
from arena.judging.ledger.verifying import Difference, verify_ledger

__all__ = ["Difference", "get_ledger_head", "seal_event", "seal_waiting", "verify_ledger"]

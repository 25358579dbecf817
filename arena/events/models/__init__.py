"""What is judged, by whom, and how it came in. Rules across rows are in the verb modules."""

from arena.events.models.decisions import (
    Act,
    Decision,
    Proposal,
    ProposalQuerySet,
    Registration,
)
from arena.events.models.event import (
    Event,
    EventQuerySet,
    Guidelines,
    Note,
    Question,
    Terms,
    check_timezone,
    draw_secret,
)
from arena.events.models.imports import ImportJob, ImportJobQuerySet, StagedRecord, import_path
from arena.events.models.ledger import LedgerEntry, LedgerEntryQuerySet, draw_salt
from arena.events.models.people import (
    Application,
    Enrollment,
    EnrollmentQuerySet,
    Invitation,
    Membership,
)
from arena.events.models.records import (
    Category,
    Competitor,
    Control,
    Matchup,
    MatchupQuerySet,
    MatchupResponse,
    Record,
    Response,
)
from arena.events.models.style import COVARIATES, count_style

__all__ = [
    "COVARIATES",
    "Act",
    "Application",
    "Category",
    "Competitor",
    "Control",
    "Decision",
    "Enrollment",
    "EnrollmentQuerySet",
    "Event",
    "EventQuerySet",
    "Guidelines",
    "ImportJob",
    "ImportJobQuerySet",
    "Invitation",
    "LedgerEntry",
    "LedgerEntryQuerySet",
    "Matchup",
    "MatchupQuerySet",
    "MatchupResponse",
    "Membership",
    "Note",
    "Proposal",
    "ProposalQuerySet",
    "Question",
    "Record",
    "Registration",
    "Response",
    "StagedRecord",
    "Terms",
    "check_timezone",
    "count_style",
    "draw_salt",
    "draw_secret",
    "import_path",
]

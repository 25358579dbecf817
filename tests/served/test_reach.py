"""Every page, command and task is tried on a served site, or there is a reason why not."""

from tests.served.conftest import Tally
from tests.served.reach import Reached

ADMIN = "wants a second factor at sign-in; Django's own pages, read by tests/security as staff"
PROVIDER = "leads to a provider of sign-in, whose secret a test has not"
SECOND = "for those who have a second factor, as tests/people/test_staff.py has"
MAILED = "its address is in a message, and no mail leaves a site that has no mail server"
BACKED_UP = "part of the scripts that tests/deploy/test_backup.py runs"
# What no served test reaches, and why; patterns of "page NAME", "command NAME", "task NAME".
ARGUED = {
    "page admin*": ADMIN,
    "page github_*": PROVIDER,
    "page google_*": PROVIDER,
    "page openid_connect_*": PROVIDER,
    "page account_confirm_email": MAILED,
    "page account_reset_password_from_key": MAILED,
    "page mfa_deactivate_totp": SECOND,
    "page mfa_*_recovery_codes": SECOND,
    "page socialaccount_login_error": PROVIDER,
    "command list_erasures": BACKED_UP,
    "command reapply_erasures": BACKED_UP,
    "command describe_state": BACKED_UP,
    "command restore_drill": BACKED_UP,
    "command adopt_bundles": "for what an earlier release has left, as tests/exports has it",
    "task arena.events.tasks.finish_import": "taken where a command died while it imported, as "
    "tests/events/test_import_adopting.py has it",
    "task arena.events.tasks.sweep_uploads": "beat sends it once an hour; "
    "tests/events/test_import_page_refusals.py has what it does",
    "command doctor": "tests/monitoring/test_doctor.py runs it with everything away",
    "page desk:anchors": "offered where controls are few; tests/desk has the button",
    "page desk:ties": "offered where ten controls and more have no tie; tests/desk has the button",
    "page leaderboard:read": "the reader's notice of a result; tests/leaderboard marks it as read",
    "page leaderboard:winner": "there only once an organizer has confirmed the winner of a prize",
}
# Reached where a site happens to be served for longer than a minute, and not on a quick machine.
EVERY_MINUTE = "beat sends it after a minute; tests/judging has what it does"
BY_CHANCE = {
    "task arena.judging.tasks.return_unused_seats": EVERY_MINUTE,
    "task arena.judging.tasks.sweep_leases": EVERY_MINUTE,
}


def test_what_is_missing_is_found() -> None:
    there = Reached({"home", "desk:new"}, {"bundle"}, {"arena.tasks.sweep"})
    reached = Reached({"home"}, set(), {"arena.tasks.sweep"})
    assert reached.missing_from(there, {}) == ["command bundle", "page desk:new"]
    assert reached.missing_from(there, {"page desk:*": "why"}) == ["command bundle"]
    assert reached.needless(there, {"page desk:*": "", "page home": ""}) == ["page home"]


def test_every_page_command_and_task_is_reached_or_argued(tally: Tally) -> None:
    """Runs after all other served tests: `pytest tests/served`."""
    assert len(tally.there.pages) > 50
    missing = tally.reached.missing_from(tally.there, ARGUED | BY_CHANCE)
    assert not missing, "reach these in tests/served, or argue:\n" + "\n".join(missing)
    assert not tally.reached.needless(tally.there, ARGUED), "these are reached or gone"
    assert all(ARGUED.values())

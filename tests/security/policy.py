"""Who may see what: every URL of the site, and by whom it may be read and written.

The table is the policy. `test_walk.py` holds the site to it, and fails for a URL that is not here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

# What somebody is to an event.
ANONYMOUS, OUTSIDER = "anonymous", "outsider"
CONTRIBUTOR, READER = "contributor", "reader"
REVIEWER, ORGANIZER = "reviewer", "organizer"
# Staff of the site, with a second factor; to every event an outsider.
STAFF = "staff"

INSIDERS = frozenset({CONTRIBUTOR, READER, REVIEWER, ORGANIZER})
SIGNED_IN = INSIDERS | {OUTSIDER, STAFF}
EVERYBODY = SIGNED_IN | {ANONYMOUS}
# Somebody with an account of their own: contributors came by a seat that was made for them.
ACCOUNTS = SIGNED_IN - {CONTRIBUTOR}
REVIEWERS = frozenset({REVIEWER, ORGANIZER})
ORGANIZERS = frozenset({ORGANIZER})
CONTRIBUTORS = frozenset({CONTRIBUTOR})
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Doors:
    """Who may read (GET) and write (POST); NOBODY: the method is not taken.

    Of a private event, `ANONYMOUS` and `OUTSIDER` see nothing whatever stands here, but by a link
    that is a key (`is_keyed`).
    """

    get: frozenset[str]
    post: frozenset[str] = NOBODY
    is_keyed: bool = False


POLICY: dict[str, Doors] = {
    # --- anybody -------------------------------------------------------------------------------
    "home": Doors(EVERYBODY),
    # --- an event ------------------------------------------------------------------------------
    "events:event": Doors(EVERYBODY),
    "events:guidelines": Doors(EVERYBODY, CONTRIBUTORS),
    "events:registration": Doors(EVERYBODY),
    "events:registration_json": Doors(EVERYBODY),
    "events:join": Doors(EVERYBODY, EVERYBODY),
    "events:line": Doors(NOBODY, EVERYBODY),
    "events:claim": Doors(EVERYBODY, EVERYBODY, is_keyed=True),
    "events:invitation": Doors(EVERYBODY, EVERYBODY, is_keyed=True),
    "leaderboard:board": Doors(EVERYBODY),
    "leaderboard:board_csv": Doors(EVERYBODY),
    "leaderboard:board_json": Doors(EVERYBODY),
    "leaderboard:contributors": Doors(EVERYBODY),
    "leaderboard:method": Doors(EVERYBODY),
    "leaderboard:winner": Doors(EVERYBODY),
    "leaderboard:exclusions": Doors(EVERYBODY),
    "leaderboard:exclusions_json": Doors(EVERYBODY),
    # --- judging: the assignment's own contributor -----------------------------------------------
    "judging:next": Doors(EVERYBODY),
    "judging:me": Doors(SIGNED_IN),
    "judging:appeal": Doors(NOBODY, CONTRIBUTORS),
    "judging:warning": Doors(CONTRIBUTORS, CONTRIBUTORS),
    "judging:judge": Doors(CONTRIBUTORS, CONTRIBUTORS),
    "judging:skip": Doors(NOBODY, CONTRIBUTORS),
    "judging:flag": Doors(NOBODY, CONTRIBUTORS),
    "judging:undo": Doors(CONTRIBUTORS),
    # --- the event's reviewers and organizers ----------------------------------------------------
    "leaderboard:latest": Doors(REVIEWERS),
    "desk:overview": Doors(REVIEWERS),
    "desk:records": Doors(REVIEWERS),
    "desk:record": Doors(REVIEWERS),
    "desk:flags": Doors(REVIEWERS, REVIEWERS),
    "desk:comments": Doors(REVIEWERS),
    "desk:contributors": Doors(REVIEWERS),
    "desk:contributor": Doors(REVIEWERS, REVIEWERS),
    "desk:contributors_csv": Doors(REVIEWERS),
    "desk:review": Doors(REVIEWERS),
    "desk:case": Doors(REVIEWERS, REVIEWERS),
    "desk:appeal": Doors(NOBODY, REVIEWERS),
    "desk:proposal": Doors(REVIEWERS, REVIEWERS),
    "desk:decisions": Doors(REVIEWERS),
    "desk:controls": Doors(REVIEWERS),
    # --- its organizers --------------------------------------------------------------------------
    "desk:state": Doors(NOBODY, ORGANIZERS),
    "desk:event": Doors(ORGANIZERS, ORGANIZERS),
    "desk:duplicate": Doors(NOBODY, ORGANIZERS),
    "desk:terms": Doors(ORGANIZERS, ORGANIZERS),
    "desk:questions": Doors(ORGANIZERS, ORGANIZERS),
    "desk:preview": Doors(ORGANIZERS),
    "desk:anchors": Doors(NOBODY, ORGANIZERS),
    "desk:ties": Doors(NOBODY, ORGANIZERS),
    "desk:matchup": Doors(NOBODY, ORGANIZERS),
    "desk:correct": Doors(ORGANIZERS, ORGANIZERS),
    "desk:seats": Doors(ORGANIZERS, ORGANIZERS),
    "desk:print_seats": Doors(NOBODY, ORGANIZERS),
    "desk:reissue": Doors(NOBODY, ORGANIZERS),
    "desk:reissue_seat": Doors(NOBODY, ORGANIZERS),
    "desk:winner": Doors(ORGANIZERS, ORGANIZERS),
    "events:people": Doors(ORGANIZERS, ORGANIZERS),
    "events:remove": Doors(NOBODY, ORGANIZERS),
    "events:withdraw": Doors(NOBODY, ORGANIZERS),
    "events:application": Doors(NOBODY, ORGANIZERS),
    "exports:downloads": Doors(ORGANIZERS),
    "exports:export": Doors(ORGANIZERS),
    "exports:features": Doors(ORGANIZERS),
    "exports:bundle": Doors(ORGANIZERS),
    "imports:new": Doors(ORGANIZERS, ORGANIZERS),
    "imports:job": Doors(ORGANIZERS, ORGANIZERS),
    "imports:discard": Doors(NOBODY, ORGANIZERS),
    "imports:take_back": Doors(NOBODY, ORGANIZERS),
    "votes:new": Doors(ORGANIZERS, ORGANIZERS),
    "votes:job": Doors(ORGANIZERS, ORGANIZERS),
    # --- an empty site: here somebody has an account, and the link leads nowhere ---------------
    "people:first": Doors(NOBODY),
    # --- one's own account -----------------------------------------------------------------------
    "desk:new": Doors(ACCOUNTS, ACCOUNTS),
    "leaderboard:read": Doors(NOBODY, SIGNED_IN),
    "people:seat": Doors(SIGNED_IN),
    "events:name": Doors(NOBODY, SIGNED_IN),
    "people:saved": Doors(NOBODY, SIGNED_IN),
    "people:code": Doors(SIGNED_IN, SIGNED_IN),
    "judging:leave": Doors(SIGNED_IN, SIGNED_IN),
    # --- signing in and up ----------------------------------------------------------------------
    "account_login": Doors(EVERYBODY, EVERYBODY),
    "account_signup": Doors(EVERYBODY, EVERYBODY),
    "account_logout": Doors(EVERYBODY, EVERYBODY),
    "account_inactive": Doors(EVERYBODY, EVERYBODY),
    "account_request_login_code": Doors(EVERYBODY, EVERYBODY),
    "account_confirm_login_code": Doors(EVERYBODY, EVERYBODY),
    "account_email_verification_sent": Doors(EVERYBODY, EVERYBODY),
    "account_confirm_email": Doors(EVERYBODY, EVERYBODY, is_keyed=True),
    "account_reset_password": Doors(EVERYBODY, EVERYBODY),
    "account_reset_password_done": Doors(EVERYBODY, EVERYBODY),
    "account_reset_password_from_key": Doors(EVERYBODY, EVERYBODY, is_keyed=True),
    "account_reset_password_from_key_done": Doors(EVERYBODY, EVERYBODY),
    "mfa_authenticate": Doors(EVERYBODY, EVERYBODY),
    "socialaccount_signup": Doors(EVERYBODY, EVERYBODY),
    "socialaccount_login_cancelled": Doors(EVERYBODY, EVERYBODY),
    "socialaccount_login_error": Doors(EVERYBODY, EVERYBODY),
    "account_email": Doors(SIGNED_IN, SIGNED_IN),
    "account_change_password": Doors(SIGNED_IN, SIGNED_IN),
    "account_set_password": Doors(SIGNED_IN, SIGNED_IN),
    "account_reauthenticate": Doors(SIGNED_IN, SIGNED_IN),
    "mfa_index": Doors(SIGNED_IN, SIGNED_IN),
    "mfa_reauthenticate": Doors(SIGNED_IN, SIGNED_IN),
    "mfa_activate_totp": Doors(SIGNED_IN, SIGNED_IN),
    "mfa_deactivate_totp": Doors(SIGNED_IN, SIGNED_IN),
    "mfa_view_recovery_codes": Doors(SIGNED_IN, SIGNED_IN),
    "mfa_generate_recovery_codes": Doors(SIGNED_IN, SIGNED_IN),
    "mfa_download_recovery_codes": Doors(SIGNED_IN, SIGNED_IN),
    "socialaccount_connections": Doors(SIGNED_IN, SIGNED_IN),
    "account/social/login/cancelled/": Doors(EVERYBODY, EVERYBODY),
    "account/social/login/error/": Doors(EVERYBODY, EVERYBODY),
    "account/social/signup/": Doors(EVERYBODY, EVERYBODY),
    "account/social/connections/": Doors(EVERYBODY, EVERYBODY),
    "github_login": Doors(EVERYBODY, EVERYBODY),
    "github_callback": Doors(EVERYBODY, EVERYBODY),
    "google_login": Doors(EVERYBODY, EVERYBODY),
    "google_callback": Doors(EVERYBODY, EVERYBODY),
    "google_login_by_token": Doors(EVERYBODY, EVERYBODY),
    "openid_connect_login": Doors(EVERYBODY, EVERYBODY),
    "openid_connect_callback": Doors(EVERYBODY, EVERYBODY),
}
# The site's own administration.
ADMIN = Doors(frozenset({STAFF}), frozenset({STAFF}))


@dataclass(frozen=True)
class Url:
    """One URL pattern: its name (its route where it has none) and its whole route."""

    name: str
    route: str

    @property
    def arguments(self) -> list[str]:
        """The names of what varies in it."""
        return re.findall(r"<(?:\w+:)?(\w+)>", self.route)

    @property
    def is_admin(self) -> bool:
        """Whether it is a page of the site's administration."""
        return self.route.startswith("admin/")

    @property
    def is_ours(self) -> bool:
        """Whether it is a page of this project's own: those of allauth have plain names."""
        return not self.is_admin and (":" in self.name or self.name == "home")

    @property
    def doors(self) -> Doors:
        """What the policy says of it."""
        return ADMIN if self.is_admin else POLICY[self.name]

    def path(self, arguments: dict[str, str]) -> str:
        """The address with these values in it."""

        def fill(found: re.Match[str]) -> str:
            return str(arguments[found[1] or found[2]])

        filled = re.sub(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)", fill, self.route)
        return "/" + filled.replace("^", "").replace("$", "")


def urls(resolver: URLResolver | None = None, before: str = "", space: str = "") -> Iterator[Url]:
    """Every URL pattern of the site, whoever included it."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield Url(space + pattern.name if pattern.name else route, route)
        else:
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from urls(pattern, route, inner)


URLS = list(urls())

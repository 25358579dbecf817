"""A fixed world for every walk: two events, everybody who has to do with them, an object behind
every argument of every URL. Names, addresses and reasons are words that nothing else contains."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from arena.events.decision_record import Ruling
from arena.events.joining.enrolling import join_with_open_seat, provision_event_seats
from arena.events.joining.invitations import invite
from arena.events.models import (
    Act,
    Application,
    Category,
    Control,
    Decision,
    Enrollment,
    Event,
    ImportJob,
    Invitation,
    Matchup,
)
from arena.judging.ledger import seal_event
from arena.judging.models import Assignment, Exclusion
from arena.judging.review.exclusions import exclude
from arena.judging.skipping import flag_assignment
from arena.people.accounts.first_account import make_setup_link
from arena.people.codes import hash_token
from arena.people.hashers import hash_code
from arena.people.models import Seat, User
from arena.people.seats.provisioning import Slip
from leaderboard.models import Snapshot, Winner
from leaderboard.snapshots.refresh import refresh_fully
from tests.events.registered import register_and_change
from tests.factories import (
    make_assignment,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchup,
    make_membership,
)
from tests.security.files import upload
from tests.security.payloads import FORMULAS, SCRIPTS
from tests.security.policy import (
    ANONYMOUS,
    CONTRIBUTOR,
    ORGANIZER,
    OUTSIDER,
    READER,
    REVIEWER,
    STAFF,
    Url,
)
from tests.security.reviews import PERSONAL_TEXTS, REVIEW_TEXTS, review

# Who reaches the most pages.
REACHING = (f"tea {ORGANIZER}", f"tea {CONTRIBUTOR}")
HOSTILE = "\n\n".join([*SCRIPTS, *FORMULAS])


@dataclass(frozen=True)
class Actor:
    """Somebody who asks for pages. `event`: the slug of the event they belong to, or ""."""

    label: str
    role: str
    event: str = ""
    user: User | None = None

    def client(self, **options: Any) -> Client:
        """A browser of theirs, signed in."""
        client = Client(**options)
        if self.user is not None:
            client.force_login(self.user)
        return client

    def role_in(self, event: Event) -> str:
        """What they are to an event."""
        if self.user is None or self.event == event.slug:
            return self.role
        return STAFF if self.role == STAFF else OUTSIDER


@dataclass
class Side:
    """One event with everything in it that a URL can name."""

    event: Event
    people: dict[str, User]
    contributor: Enrollment
    slip: Slip
    tokens: dict[str, str]
    invitation: Invitation
    application: Application
    matchup: Matchup
    control: Matchup
    shown: Assignment
    answered: Assignment
    # By which a judgment of the contributor's is excluded.
    excluded: Decision
    upload: ImportJob
    votes: ImportJob
    # Another contributor, who has an appeal of their own.
    another: Enrollment
    # What only the organizers and reviewers may read.
    reasons: set[str]

    def texts_of(self, enrollment: Enrollment) -> set[str]:
        """What a contributor alone may read of reviews: a warning, their appeals, the answers."""
        name = "own" if enrollment == self.contributor else "other"
        return {f"{self.event.slug}-{name}-{what}" for what in PERSONAL_TEXTS}

    @cached_property
    def models(self) -> set[str]:
        """The competitors' names."""
        return set(self.event.competitors.values_list("name", flat=True))

    @cached_property
    def users(self) -> list[User]:
        """Everybody with an office, an enrollment, an application or a printed seat here."""
        return list(
            User.objects.filter(
                Q(memberships__event=self.event)
                | Q(enrollments__event=self.event)
                | Q(applications__event=self.event)
                | Q(seat__pool__event=self.event, seat__kind=Seat.Kind.PRINTED)
            ).distinct()
        )

    @property
    def usernames(self) -> set[str]:
        """Their names for signing in."""
        return {user.username for user in self.users}

    @property
    def emails(self) -> set[str]:
        """Their addresses."""
        return {user.email for user in self.users if user.email}

    @cached_property
    def hashes(self) -> set[str]:
        """Hashes of codes, passwords and links, which no page has any use for."""
        links = self.event.invitations.values_list("token_hash", flat=True)
        return {hash_token(self.slip.token), *links, *(user.password for user in self.users)}

    def arguments(self, url: Url) -> dict[str, str]:
        """What stands for each argument of a URL. A new argument has to be added here."""
        known: dict[str, object] = {
            "slug": self.event.slug,
            "external_id": quote(self.matchup.record.external_id),
            "public_id": self.contributor.public_id,
            "events:claim token": self.slip.token,
            "people:first token": make_setup_link(timezone.now()),
            "events:invitation token": self.tokens[CONTRIBUTOR],
            "events:withdraw uuid": self.invitation.uuid,
            "events:application uuid": self.application.uuid,
            "imports:job uuid": self.upload.uuid,
            "imports:discard uuid": self.upload.uuid,
            "imports:take_back uuid": self.upload.uuid,
            "votes:job uuid": self.votes.uuid,
            "desk:case uuid": self.event.cases.earliest("pk").uuid,
            "desk:proposal uuid": self.event.proposals.earliest("pk").uuid,
            "desk:appeal uuid": self.event.appeals.waiting().earliest("pk").uuid,
            "judging:judge uuid": self.shown.uuid,
            "judging:skip uuid": self.shown.uuid,
            "judging:flag uuid": self.shown.uuid,
            "judging:undo uuid": self.answered.uuid,
            # allauth's and the admin's.
            "key": "no-such-key",
            "uidb36": "1",
            "provider_id": "huggingface",
            "object_id": self.people[CONTRIBUTOR].pk,
            "id": self.people[CONTRIBUTOR].pk,
            "content_type_id": "1",
            "app_label": "people",
            "url": "nothing/here",
            "file": "judgments.jsonl",
            "export": "judgments",
            "name": quote(f"Round of {self.event.slug}"),
        }
        return {name: str(known.get(f"{url.name} {name}") or known[name]) for name in url.arguments}

    def form(self, url: Url) -> dict[str, str]:
        """A complete and acceptable form for whatever takes one."""
        forms: dict[str, dict[str, str]] = {
            "events:guidelines": {"version": "1"},
            "events:join": {"accept": "yes", "version": "1"},
            "events:claim": {"accept": "yes", "version": "1"},
            "events:line": {"act": "wait"},
            "events:people": {"role": "reviewer", "uses": "1", "days": "1"},
            "events:remove": {"username": self.people[READER].username},
            "events:application": {"decision": "admit"},
            "judging:appeal": {"decision": str(self.excluded.uuid), "text": "so"},
            "judging:judge": {"preference": "a1", "comment": "so"},
            "judging:skip": {"reason": "unclear"},
            "judging:flag": {"reason": "broken", "note": "so"},
            "desk:state": {"to": "closed"},
            "desk:matchup": {"key": self.matchup.key, "act": "retire", "reason": "so"},
            "desk:correct": {
                "turn-0": "New?",
                "response-0": "New.",
                "response-1": "Newer.",
                "why": "so",
            },
            "desk:duplicate": {"title": "A copy"},
            "desk:terms": {"licence": "CC0-1.0", "public_release": "All.", "minimum_age": "16"},
            "desk:flags": {"assignment": str(self.answered.uuid), "act": "done"},
            "desk:contributor": {"act": "exclude", "reason": "unreliable", "note": "so"},
            "desk:case": {"act": "undo", "note": "so"},
            "desk:proposal": {"act": "decline"},
            "desk:appeal": {"act": "decline", "note": "so"},
            "desk:print_seats": {"printed": "2"},
            "desk:reissue_seat": {"username": self.slip.username},
            "desk:seats": {"open": "1", "claims_per_network": "30"},
            "desk:winner": {"act": "withdraw", "note": "so"},
            "events:name": {"display_name": "Somebody"},
            "judging:leave": {"sure": "yes"},
        }
        return forms.get(url.name, {})


@dataclass
class World:
    """Both sides and everybody."""

    public: Side
    private: Side
    actors: list[Actor]
    # Everybody's session.
    sessions: dict[str, str]
    # With --few-cases: who may see what is told on SQLite, and those ask who reach the most.
    is_few: bool = False

    @property
    def sides(self) -> list[Side]:
        return [self.public, self.private]

    def party(self, url: Url) -> list[Actor]:
        """Who has to try a URL: everybody, or one of each kind where it is not of an event."""
        if self.is_few:
            return [self.actor(label) for label in (ANONYMOUS, STAFF, *REACHING)]
        if url.is_ours:
            return self.actors
        labels = (ANONYMOUS, OUTSIDER, STAFF, "tea organizer", "tea contributor")
        return [self.actor(label) for label in labels]

    def client(self, actor: Actor, **options: Any) -> Client:
        """A browser of theirs, signed in without a query."""
        client = Client(**options)
        if actor.user is not None:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[actor.label]
        return client

    def actor(self, label: str) -> Actor:
        """One of them by their label: "tea organizer", "anonymous"."""
        return next(actor for actor in self.actors if actor.label == label)


def make_world(now: datetime | None = None) -> World:
    """Two open events that have been judged in, one of them private, and a board each."""
    now = now or timezone.now()
    public = make_side("tea", now)
    private = make_side("wine", now, is_private=True)
    staff = make_person("site-keeper", is_staff=True, is_superuser=True)
    Authenticator.objects.create(user=staff, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    actors = [
        Actor(ANONYMOUS, ANONYMOUS),
        Actor(OUTSIDER, OUTSIDER, user=make_person("passer-by")),
        Actor(STAFF, STAFF, user=staff),
    ]
    for side in (public, private):
        slug = side.event.slug
        actors += [Actor(f"{slug} {role}", role, slug, user) for role, user in side.people.items()]
    name = settings.SESSION_COOKIE_NAME
    clients = {actor.label: actor.client() for actor in actors if actor.user}
    sessions = {label: client.cookies[name].value for label, client in clients.items()}
    return World(public, private, actors, sessions)


def make_person(name: str, **fields: Any) -> User:
    """A user with a confirmed address; the hash is of the quick kind that seats have."""
    user = User.objects.create(
        username=f"{name}-username",
        email=f"{name}@mail.example",
        password=hash_code("correct horse"),
        **fields,
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def make_side(slug: str, now: datetime, **settings: Any) -> Side:
    """One event and its people."""
    organizer = make_person(f"{slug}-organizer")
    event = make_event(slug, organizer=organizer, closes_at=now + timedelta(days=9), **settings)
    reviewer, reader = (make_person(f"{slug}-{role}") for role in (REVIEWER, READER))
    make_membership(event, reviewer)
    make_membership(event, reader, READER)
    tokens = {}
    for role in Invitation.Role.values:
        invitation, tokens[role] = invite(event, role, now, by=organizer, uses=9)
    (slip,) = provision_event_seats(event, 1, Seat.Kind.PRINTED, now)
    provision_event_seats(event, 3, Seat.Kind.OPEN, now)
    contributor = join_with_open_seat(
        event, now, terms=1, invitation=invitation if event.is_private else None
    ).enrollment
    contributor.guidelines, contributor.guidelines_at = event.guidelines.latest(), now
    contributor.save()
    assert contributor.user is not None
    people = {
        ORGANIZER: organizer,
        REVIEWER: reviewer,
        READER: reader,
        CONTRIBUTOR: contributor.user,
    }
    applicant = make_person(f"{slug}-applicant")
    application = Application.objects.create(event=event, user=applicant, asked_at=now)
    matchup, control = fill(event)
    register_and_change(event, organizer, now)
    answered, shown = judge(contributor, now)
    another = event.enrollments.exclude(pk=contributor.pk).get()
    rule = Ruling(reviewer, now, f"{slug}-decision-note")
    kept = review(contributor, "own", rule) | review(another, "other", rule)
    seal_event(event.pk, now)
    sealed = refresh_fully(event, now=now)
    Snapshot.objects.filter(pk=sealed.pk).update(name=f"Round of {slug}", sealed_at=now)
    Winner.objects.create(
        event=event, enrollment=contributor, confirmed_at=now, confirmed_by=organizer
    )
    return Side(
        event=event,
        people=people,
        contributor=contributor,
        slip=slip,
        tokens=tokens,
        invitation=invitation,
        application=application,
        matchup=matchup,
        control=control,
        shown=shown,
        answered=answered,
        excluded=event.decisions.get(act=Act.EXCLUDED, reason="broken"),
        upload=upload(event, organizer, now),
        votes=upload(event, organizer, now, ImportJob.Kind.JUDGMENTS),
        another=another,
        reasons={f"{slug}-{what}" for what in ("control-reason", "control-id", "record-id")}
        | {f"{slug}-{what}" for what in REVIEW_TEXTS}
        | kept,
    )


def fill(event: Event) -> tuple[Matchup, Matchup]:
    """Records to judge, one of them hostile, and controls; an ordinary matchup and a control."""
    models = make_competitors(event, 3)
    category = Category.objects.create(event=event, slug="verse", name="Verse & prose")
    matchups = [make_matchup(event, [models[i % 3], models[(i + 1) % 3]]) for i in range(24)]
    controls = [make_control(event) for _ in range(8)]
    hostile = matchups[0].record
    hostile.categories.add(category)
    hostile.prompt[0]["content"] = HOSTILE
    hostile.save()
    hostile.responses.update(text=HOSTILE)
    for number, matchup in enumerate(matchups + controls):
        kind = "control" if matchup in controls else "record"
        matchup.record.external_id = f"{event.slug}-{kind}-id/{number} <&?#%25"
        matchup.record.save()
    Control.objects.filter(matchup__event=event).update(reason=f"{event.slug}-control-reason")
    return matchups[0], controls[0]


def judge(contributor: Enrollment, now: datetime) -> tuple[Assignment, Assignment]:
    """Five judgments, one excluded, one flagged; the last one answered, and what is shown next."""
    event = contributor.event
    first = make_judgment(contributor, "a2", comment="<b>so</b>", now=now)
    note = f"{event.slug}-exclusion-note"
    exclude(first, Exclusion.Reason.BROKEN, Ruling(None, now, note))
    for posted in ("b1", "tie", "a1"):
        make_judgment(contributor, posted, now=now)
    other = make_enrollment(event, make_person(f"{event.slug}-another"))
    for posted in ("a1", "b2", "both_bad"):
        make_judgment(other, posted, now=now)
    last = make_judgment(contributor, "a2", now=now)
    assert last.assignment is not None
    flag_assignment(last.assignment, "broken", "cut off", now=now)
    return last.assignment, make_assignment(contributor, now=now)

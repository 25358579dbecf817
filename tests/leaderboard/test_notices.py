"""What contributors are told: the published result with their place, and organizers' notes."""

from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import Mock

import pytest
from django.core import mail
from django.test import Client

from arena.events.decision_record import Ruling
from arena.events.models import Enrollment, Event
from arena.judging.leaving.erasure import erase_contributor
from arena.judging.models import Exclusion
from arena.judging.review.exclusions import exclude
from arena.people.models import OutgoingMail, User
from leaderboard.models import Notice
from leaderboard.results.notices import announce_results, find_shortlisted, mail_notices
from leaderboard.results.rounds import publish_event, seal_round
from tests.factories import (
    NOW,
    make_competitors,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchups,
    make_membership,
    make_user,
)
from tests.leaderboard.votes import refresh
from tests.test_winner import Final, verify
from tests.threads import parallel_map

pytestmark = pytest.mark.django_db
TERMINAL = "arena.mail.TerminalBackend"


def user_of(enrollment: Enrollment) -> User:
    assert enrollment.user is not None
    return enrollment.user


def page(user: User | None, path: str) -> str:
    client = Client()
    if user is not None:
        client.force_login(user)
    return " ".join(client.get(path).content.decode().split())


class Published:
    """A published event in which two people have judged, and one has only joined."""

    def __init__(self) -> None:
        self.event = make_event("fair", organizer=make_user("olga"))
        models = make_competitors(self.event, 2)
        make_matchups(self.event, models, 4)
        self.known, self.unknown, self.idle = (make_enrollment(self.event) for _ in range(3))
        verify(user_of(self.known))
        verify(user_of(self.idle))
        for enrollment in (self.known, self.unknown):
            make_judgment(enrollment)
        Event.objects.update(state=Event.State.CLOSED)
        self.event.refresh_from_db()
        refresh(self.event)
        publish_event(self.event, NOW)


def test_whoever_left_an_address_hears_once_of_the_result() -> None:
    scene = Published()
    for _ in range(2):  # safe to run twice
        announce_results(NOW)
        mail_notices(NOW)
    (message,) = mail.outbox
    assert message.to == [f"{user_of(scene.known).username}@example.org"]
    assert "“Fair” is published" in message.subject
    assert "/events/fair/" in message.body
    assert "Your place" not in message.body
    assert "reliability was not measured" in message.body
    assert Notice.objects.count() == 2


def test_whoever_is_excluded_is_told_that_nothing_of_theirs_counts() -> None:
    scene = Published()
    exclude(scene.known, Exclusion.Reason.UNRELIABLE, Ruling(None, NOW))
    refresh(scene.event)
    seal_round(scene.event, "Corrected", NOW)
    announce_results(NOW)
    mail_notices(NOW)
    words = "None of your judgments counts in it."
    assert words in mail.outbox[0].body
    assert words in page(user_of(scene.known), "/events/fair/")
    assert words not in page(user_of(scene.unknown), "/events/fair/")


def test_the_message_names_ones_own_place() -> None:
    final = Final(Event.State.PUBLISHED)
    final.event.notices.create(user=user_of(final.second), kind="result", created_at=NOW)
    verify(user_of(final.second))
    assert mail_notices(NOW) == 1
    assert "Your place on the contributor board: 2." in mail.outbox[0].body
    for path in ("/", f"/events/{final.event.slug}/", f"/events/{final.event.slug}/me/"):
        assert "Your place on the contributor board: 2." in page(user_of(final.second), path)


def test_everybody_who_judged_sees_the_result_until_they_have_read_it() -> None:
    scene = Published()
    assert announce_results(NOW) == 2
    user = user_of(scene.unknown)
    for path in ("/", "/events/fair/", "/events/fair/me/"):
        assert "The result of “Fair” is published." in page(user, path)
        assert "The result of “Fair” is published." not in page(user_of(scene.idle), path)
        assert "The result of “Fair” is published." not in page(None, path)
    notice, client = Notice.objects.get(user=user), Client()
    client.force_login(user_of(scene.known))
    client.post("/account/notices/", {"notice": str(notice.uuid)})  # somebody else's
    client.post("/account/notices/", {"notice": "none"})
    assert "The result of" in page(user, "/")
    client.force_login(user)
    done = client.post("/account/notices/", {"notice": str(notice.uuid)})
    assert done.headers["Location"] == "/events/fair/"
    assert "The result of “Fair”" not in page(user, "/")
    assert announce_results(NOW) == 0


def test_nothing_is_told_before_publishing_nor_long_after() -> None:
    scene = Published()
    assert announce_results(NOW + timedelta(days=3)) == 0
    Event.objects.update(state=Event.State.CLOSED)
    assert announce_results(NOW) == 0
    assert scene.event.notices.count() == 0


def test_a_message_and_its_mark_are_written_together(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_BACKEND = "arena.people.outbox.OutboxBackend"
    Published()
    announce_results(NOW)
    with monkeypatch.context() as patch:
        patch.setattr("leaderboard.results.notices.send_mail", Mock(side_effect=RuntimeError))
        with pytest.raises(RuntimeError):
            mail_notices(NOW)
    assert mail_notices(NOW) == 1
    assert OutgoingMail.objects.count() == 1
    assert mail_notices(NOW) == 0


def test_without_mail_nothing_is_marked_as_sent(settings: Any) -> None:
    settings.EMAIL_BACKEND = TERMINAL
    Published()
    announce_results(NOW)
    assert mail_notices(NOW) == 0
    assert not Notice.objects.exclude(mailed_at=None).exists()


def test_leaving_takes_the_notices_along() -> None:
    scene = Published()
    announce_results(NOW)
    erase_contributor(user_of(scene.known), NOW)
    assert [notice.user for notice in Notice.objects.all()] == [scene.unknown.user]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_everybody_once() -> None:
    Published()
    parallel_map([partial(announce_results, NOW)] * 4, threads=4)
    assert Notice.objects.count() == 2
    parallel_map([partial(mail_notices, NOW)] * 4, threads=4)
    assert len(mail.outbox) == 1


# --- organizers' notes -----------------------------------------------------------------------
def test_an_organizer_writes_to_the_shortlisted(settings: Any) -> None:
    final = Final(prize="A book")
    verify(user_of(final.first))
    note = {"act": "write", "text": "Please confirm\n<b>an address</b>."}
    desk = final.desk()
    shown = page(final.organizer, final.url)
    assert "2 people see it on their next visit" in shown
    assert "1 has a confirmed address" in shown
    question = desk.post(final.url, note).content.decode()
    assert "1 gets it by e-mail" in question
    assert not Notice.objects.exists()
    said = desk.post(final.url, note | {"sure": "yes"}, follow=True).content.decode()
    assert "next visit: 2. Also by e-mail: 1." in said
    assert {notice.user for notice in Notice.objects.all()} == set(find_shortlisted(final.event))
    assert mail_notices(NOW + timedelta(days=400)) == 0
    Notice.objects.update(created_at=NOW)
    assert mail_notices(NOW) == 1
    assert "Please confirm\n<b>an address</b>." in mail.outbox[0].body
    seen = page(user_of(final.second), f"/events/{final.event.slug}/me/")
    assert "From the organizers of" in seen
    assert "&lt;b&gt;an address" in seen
    assert "From the organizers of" not in page(user_of(final.beginner), "/")


def test_without_mail_the_form_says_that_none_was_sent(settings: Any) -> None:
    settings.EMAIL_BACKEND = TERMINAL
    final = Final()
    verify(user_of(final.first))
    assert "No e-mail is sent: this site has no mail server set up." in page(
        final.organizer, final.url
    )
    note = {"act": "write", "text": "Well done.", "sure": "yes"}
    said = final.desk().post(final.url, note, follow=True).content.decode()
    assert "No e-mail was sent" in said
    assert Notice.objects.count() == 2


def test_an_empty_note_or_one_in_a_running_event_is_refused() -> None:
    final = Final()
    for scene, text in ((final, " "), (Final(Event.State.OPEN), "Hello")):
        posted = {"act": "write", "text": text, "sure": "yes"}
        said = scene.desk().post(scene.url, posted, follow=True).content.decode()
        assert "Write the note first" in said
    assert not Notice.objects.exists()


def test_nobody_else_writes_to_them() -> None:
    final = Final()
    reviewer = make_membership(final.event, make_user()).user
    for user in (reviewer, user_of(final.first), make_user()):
        posted = {"act": "write", "text": "Pay here", "sure": "yes"}
        assert final.desk(user).post(final.url, posted).status_code == 404
    assert not Notice.objects.exists()

"""Log lines hold no key to anybody's account."""

import logging

import pytest
from django.test import Client
from django.utils import timezone
from structlog.stdlib import ProcessorFormatter

from arena.events.joining.enrolling import provision_event_seats
from arena.events.joining.invitations import invite
from arena.events.models import Invitation
from arena.people.models import Seat
from tests.factories import make_event

pytestmark = pytest.mark.any_database


def test_refused_requests_are_logged_without_their_tokens(
    client: Client, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    event = make_event()
    (slip,) = provision_event_seats(event, 1, Seat.Kind.PRINTED, timezone.now())
    _invitation, token = invite(event, Invitation.Role.CONTRIBUTOR, timezone.now(), by=None)
    assert client.post(f"/seats/{slip.token}/", {}).status_code == 422
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/invitations/{token}/", {}).status_code == 403
    formatters = [handler.formatter for handler in logging.getLogger().handlers]
    (ours,) = [one for one in formatters if isinstance(one, ProcessorFormatter)]
    logged = "\n".join(ours.format(record) for record in caplog.records)
    assert "/seats/…" in logged
    assert "/invitations/…" in logged
    assert slip.token not in logged
    assert token not in logged
    assert slip.code not in logged

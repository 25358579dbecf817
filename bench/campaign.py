"""Fills a PostgreSQL database with an event that is being judged, inside the server.

Judgment j is of matchup j modulo the number of matchups, after a stride, so that all of them fill
evenly; its contributor follows from both, and nobody judges a matchup twice.
"""

from dataclasses import dataclass

from django.db import connection

from arena.events.lifecycle.creation import NewEvent, create_event
from arena.events.models import Event
from arena.markup import RENDERER_VERSION
from bench.filling import run_statements

TEXT = "The answer is a paragraph of some length, as people write them. "


@dataclass(frozen=True)
class Campaign:
    """How large it is, and how many of its judgments are there."""

    matchups: int
    overlap: int
    judgments: int
    contributors: int
    controls: int = 0


CONTENTS = """
INSERT INTO events_competitor (event_id, name, organization, licence, version, joined_late)
SELECT {event}, 'model-' || c, '', '', '', false FROM generate_series(0, 19) c;

INSERT INTO events_record
    (event_id, external_id, sort_key, prompt, prompt_html, rendered_with, metadata, imported_at)
SELECT {event}, 'record-' || r, 'record-' || r,
       ('[{{"role": "user", "content": "Question ' || r || '?"}}]')::jsonb,
       jsonb_build_array('<p>Question ' || r || '?</p>'), {renderer}, '{{}}', now()
FROM generate_series(1, {matchups} + {controls}) r;

INSERT INTO events_response
    (record_id, competitor_id, text, html, rendered_with, length, headers, bold, lists, code)
SELECT record.id, competitor.id, repeat('{text}', 4) || record.id,
       '<p>' || repeat('{text}', 4) || record.id || '</p>', {renderer}, 50, 0, 0, 0, 0
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n
      FROM events_record WHERE event_id = {event}) record
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS c
      FROM events_competitor WHERE event_id = {event}) competitor
  ON competitor.c IN (record.n % 20, (record.n + 1 + record.n / 20 % 18) % 20);

INSERT INTO events_matchup (event_id, record_id, key, pair, role, open_slots, shuffle)
SELECT {event}, record_id, string_agg(id::text, ',' ORDER BY id),
       string_agg(competitor_id::text, '-' ORDER BY competitor_id),
       CASE WHEN row_number() OVER (ORDER BY record_id) <= {matchups}
            THEN 'ordinary' ELSE 'control' END, 0, random()
FROM events_response
WHERE record_id IN (SELECT id FROM events_record WHERE event_id = {event})
GROUP BY record_id ORDER BY record_id;

INSERT INTO events_matchupresponse (matchup_id, response_id, position)
SELECT matchup.id, response.id,
       row_number() OVER (PARTITION BY matchup.id ORDER BY response.id) - 1
FROM events_matchup matchup JOIN events_response response
  ON response.record_id = matchup.record_id WHERE matchup.event_id = {event};

INSERT INTO events_control (matchup_id, question_id, key, reason, retired_because)
SELECT id, {question}, '{{"sign": 1}}', '', '' FROM events_matchup
WHERE event_id = {event} AND role = 'control';

INSERT INTO people_user
    (password, username, first_name, last_name, email, display_name, is_superuser, is_staff,
     is_active, date_joined)
SELECT '!', 'person-{event}-' || u, '', '', '', '', false, false, true, now()
FROM generate_series(0, {contributors} - 1) u;

INSERT INTO events_enrollment
    (event_id, user_id, kind, pseudonym, public_id, joined_at, guidelines_id, served)
SELECT {event}, id, 'human', username, gen_random_uuid(), now(), {guidelines}, 0
FROM people_user WHERE username LIKE 'person-{event}-%%' ORDER BY id;
"""
JUDGMENTS = """
UPDATE events_enrollment SET served = 0 WHERE event_id = {event};

CREATE UNLOGGED TABLE bench_judged AS
SELECT j, matchup.id AS matchup, enrollment.id AS enrollment, '' AS uuid
FROM (SELECT j, j::bigint * 7368787 % {matchups} AS m, j / {matchups} AS round
      FROM generate_series(0, {judgments} - 1) j) walk
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS m FROM events_matchup
      WHERE event_id = {event} AND role = 'ordinary') matchup USING (m)
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS u FROM events_enrollment
      WHERE event_id = {event}) enrollment
  ON enrollment.u = (walk.m * 7919 + walk.round * 3571) % {contributors};

INSERT INTO judging_assignment
    (uuid, enrollment_id, matchup_id, ordinal, "order", state, holds_slot, guidelines_id,
     reserved_at, shown_at, lease_until, finished_at, skip_reason)
SELECT gen_random_uuid(), enrollment, matchup,
       row_number() OVER (PARTITION BY enrollment ORDER BY j), '[0, 1]', 'done', true,
       {guidelines}, now() - interval '1 day', now() - interval '1 day',
       now() - interval '1 day', now() - interval '1 day', ''
FROM bench_judged;

INSERT INTO judging_judgment
    (uuid, event_id, enrollment_id, matchup_id, assignment_id, guidelines_id, origin, judged_at,
     revision, standing)
SELECT gen_random_uuid(), {event}, enrollment_id, matchup_id, id, {guidelines}, 'screen',
       now() - interval '1 day', 0, true
FROM judging_assignment WHERE matchup_id IN (SELECT matchup FROM bench_judged) AND state = 'done';

INSERT INTO judging_answer
    (judgment_id, question_id, first_id, second_id, outcome, both_bad, first_on_left)
SELECT judgment.id, {question}, min(place.response_id), max(place.response_id), 1, false, true
FROM judging_judgment judgment JOIN events_matchupresponse place USING (matchup_id)
WHERE judgment.event_id = {event} GROUP BY judgment.id;

UPDATE events_enrollment SET served = given.count
FROM (SELECT enrollment_id, count(*) FROM judging_assignment GROUP BY enrollment_id) given
WHERE given.enrollment_id = events_enrollment.id;

UPDATE events_matchup SET open_slots = {overlap}
WHERE event_id = {event} AND role = 'ordinary';

UPDATE events_matchup SET open_slots = {overlap} - taken.count
FROM (SELECT matchup, count(*) FROM bench_judged GROUP BY matchup) taken
WHERE taken.matchup = events_matchup.id;

DROP TABLE bench_judged;
"""


def make_campaign(slug: str, size: Campaign) -> Event:
    """An open event of this size."""
    plan = NewEvent(slug, slug.title(), "# Be fair", {"state": "open", "overlap": size.overlap})
    event = create_event(plan, organizer=None)
    fill(event, size, CONTENTS)
    refill(event, size)
    return event


def refill(event: Event, size: Campaign) -> None:
    """The judgments of this size in place of those that are there."""
    Event.objects.filter(pk=event.pk).update(overlap=size.overlap)
    event.overlap = size.overlap
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE judging_answer, judging_judgment, judging_assignment RESTART IDENTITY CASCADE"
        )
    fill(event, size, JUDGMENTS)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def fill(event: Event, size: Campaign, statements: str) -> None:
    """Run these statements for this event, without the triggers of foreign keys."""
    numbers = {
        "event": event.pk,
        "question": event.questions.get(kind="preference").pk,
        "guidelines": event.guidelines.latest().pk,
        "text": TEXT,
        "renderer": RENDERER_VERSION,
        **vars(size),
    }
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SELECT setseed(0.5)")
        run_statements(cursor, statements, numbers)
        cursor.execute("SET session_replication_role = origin")

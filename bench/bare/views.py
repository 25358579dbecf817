"""Two requests: an answer, and the page with the next pair."""

from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

LOCK = {"postgresql": "FOR UPDATE SKIP LOCKED"}
# The pair that this person holds, else the next free one; index pair_leased, then pair_free.
LEASE_SQL = """
UPDATE bare_pair SET person_id = %s, leased_at = %s WHERE id = coalesce(
  (SELECT id FROM bare_pair WHERE person_id = %s AND answer = '' LIMIT 1),
  (SELECT id FROM bare_pair WHERE person_id IS NULL ORDER BY id LIMIT 1 {lock}))
RETURNING id, prompt, "left", "right"
"""
ANSWER_SQL = """
UPDATE bare_pair SET answer = %s WHERE id = %s AND person_id = %s AND answer = ''
"""


@login_required
def show_next(request: HttpRequest) -> HttpResponse:
    """Lease a pair and show it."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        sql = LEASE_SQL.format(lock=LOCK.get(connection.vendor, ""))
        cursor.execute(sql, [request.user.pk, now, request.user.pk])
        row = cursor.fetchone()
    pair = dict(zip(("id", "prompt", "left", "right"), row, strict=True))
    return render(request, "bare/pair.html", {"pair": pair})


@require_POST
@login_required
def answer(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Keep the answer to a pair that this person holds."""
    with connection.cursor() as cursor:
        cursor.execute(ANSWER_SQL, [request.POST["answer"][:4], pair_id, request.user.pk])
        if not cursor.rowcount:
            return HttpResponse(status=409)
    return redirect("next")

"""What follows from the toys that tests/test_recipes.py puts into a copy, where this is run.

There responses have a covariate `asking`, and exclusions a reason `spam`. Each walk writes
its line of the documentation and fails where something does not follow.
"""

import json
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.test.utils import setup_test_environment
from django.urls import reverse

from arena.events.models import Response
from arena.events.models.style import describe_covariates
from arena.exports.bundle import write_bundle
from arena.exports.documentation import render_columns
from arena.exports.formats import FORMATS
from arena.judging.models import Exclusion
from leaderboard.models import Snapshot
from tests.factories import make_user
from tests.leaderboard.votes import Crowd, make_vote, refresh, show


def write_docs(path: str, mark: str, table: str) -> None:
    """The line of the documentation that the test of the documentation asks for."""
    file = Path(settings.ROOT) / path
    before, rest = file.read_text(encoding="utf-8").split(f"<!-- {mark} -->\n")
    old, after = rest.split("<!-- end -->", 1)
    assert old != table
    file.write_text(f"{before}<!-- {mark} -->\n{table}<!-- end -->{after}", encoding="utf-8")


def walk_covariate() -> None:
    """Counted, fitted, in the page, in JSON and in the bundle."""
    crowd = Crowd(slug="tea")
    for number, response in enumerate(Response.objects.filter(record__event=crowd.event)):
        response.text += "?" * (number % 5)
        response.save()
    call_command("count_style", "tea")
    assert set(Response.objects.values_list("asking", flat=True)) == {0, 1, 2, 3, 4}
    for number, matchup in enumerate(crowd.matchups):
        first, second = matchup.responses.order_by("pk")
        for judge in crowd.judges:
            asks = first.asking > second.asking
            make_vote(judge, matchup, 1 if asks != ((number + judge.pk) % 4 == 0) else -1)
    refresh(crowd.event)
    client = Client()
    page = show(client, crowd.event, "?weighting=style").content.decode()
    assert "Questions asked" in page
    assert "list items, code blocks and question marks, each as the difference" in page
    method = client.get(reverse("leaderboard:method", args=["tea"])).content.decode()
    assert "code blocks and question marks are worth" in method
    address = reverse("leaderboard:board_json", args=["tea"])
    board = client.get(f"{address}?weighting=style").json()
    assert "asking" in [each["name"] for each in board["method"]["coefficients"]]
    with TemporaryDirectory() as folder:
        write_bundle(Snapshot.objects.get(board__event=crowd.event), Path(folder) / "tea.zip")
        with ZipFile(BytesIO((Path(folder) / "tea.zip").read_bytes())) as archive:
            row = json.loads(archive.read("responses.jsonl").splitlines()[0])
    assert list(row)[-1] == "asking"
    write_docs("docs/ratings.md", "covariates", describe_covariates())


def walk_reason() -> None:
    """Offered, told to the contributor and to the public, and in the exports."""
    organizer = make_user("olga")
    crowd = Crowd(slug="spices", organizer=organizer)
    user = make_user("sam")
    spammer = crowd.judges[0]
    spammer.user = user
    spammer.save()
    crowd.vote()
    refresh(crowd.event)
    client = Client()
    client.force_login(organizer)
    desk = reverse("desk:contributor", args=["spices", spammer.public_id])
    label = str(Exclusion.Reason("spam").label)
    assert f'<option value="spam">{label}</option>' in client.get(desk).content.decode()
    client.post(desk, {"act": "exclude", "reason": "spam"})
    assert Exclusion.objects.get().reason == "spam"
    assert label in client.get(desk).content.decode()
    method = client.get(reverse("leaderboard:method", args=["spices"])).content.decode()
    assert label in method
    own = Client()
    own.force_login(user)
    mine = own.get(reverse("judging:me", args=["spices"])).content.decode()
    assert label in mine
    with TemporaryDirectory() as folder:
        path = Path(folder) / "spices.jsonl"
        call_command("export", "spices", out=path)
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    told = {row["exclusion"] for row in rows if row["pseudonym"] == spammer.pseudonym}
    assert told == {"spam"}
    write_docs("docs/exports.md", "columns of jsonl", render_columns(FORMATS["jsonl"]))


def walk_all() -> None:
    """Every walk, each with a line once it has ended."""
    setup_test_environment()
    walk_covariate()
    print("ok covariate")  # noqa: T201
    walk_reason()
    print("ok reason")  # noqa: T201

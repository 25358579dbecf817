"""`make demo`: its logins work, every page answers; an old campaign and votes are brought along."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import Page, expect

from tests.served.conftest import Tally, served, sqlite_in
from tests.served.legs import (
    ask_to_be_let_in,
    correct_a_record,
    deal_with_a_flag,
    invite_a_reviewer,
    judge_a_contributor,
    judge_by_slip,
    leave,
    print_seats,
    take_invitations_back,
)
from tests.served.reach import pages_of
from tests.served.reviewing import appeal_and_warn, change_a_key_by_two
from tests.served.site import Site
from tests.served.steps import (
    PATIENCE,
    confirm,
    fill_event,
    follow,
    import_file,
    press,
    publish_result,
    records,
    sign_in,
    written,
)

# So many models that the sums behind their ratings are worth several threads to NumPy.
MODELS, RECORDS, WORKERS, VOTES = 50, 6, 25, 3_000
BY_HAND = 40  # of them brought in the browser, the others by command


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, tally: Tally) -> Iterator[tuple[Site, str]]:
    """The site of `make demo`, and what that has said."""
    folder = tmp_path_factory.mktemp("demo")
    for site in served(Site(folder, REDIS_URL="", DATABASE_URL=sqlite_in(folder)), tally):
        yield site, site.start("demo")


def organizer_of(said: str) -> tuple[str, str]:
    """The sample event's organizer, by name and code."""
    _role, name, code = re.findall(r"(Organizer)\s+(\S+)\s+((?:\w{4}-){3}\w{4})", said)[0]
    return name, code


def test_the_demo_answers_on_every_page_and_takes_an_old_campaign(
    demo: tuple[Site, str], open_page: Callable[[Site], Page], tmp_path: Path
) -> None:
    site, said = demo
    organizer = open_page(site)
    sign_in(organizer, *organizer_of(said))
    (event,) = re.findall(rf"{site.url}(/events/[\w-]+/)leaderboard/", said)
    look_at_every_page(site, event, [organizer, open_page(site)])
    correct_a_record(organizer, event)
    judge_a_contributor(organizer, event)
    reviewer = invite_a_reviewer(site, organizer, open_page, event)
    ask_to_be_let_in(site, organizer, open_page, tmp_path)
    contributor = judge_by_slip(site, open_page, event, print_seats(organizer, event))
    deal_with_a_flag(organizer, event)
    appeal_and_warn(site, organizer, reviewer, contributor, event, "Paula")
    leave(contributor)
    # Beat sends these once in a while.
    for task in (
        "arena.judging.tasks.finish_erasures",
        "arena.judging.tasks.publish_ledger_heads",
        "arena.people.tasks.forget_messages_and_guesses",
        "leaderboard.tasks.tell_contributors",
        "leaderboard.tasks.thin_snapshots",
    ):
        site.send_task(task)
    bring_campaign(site, organizer, tmp_path)
    expect(organizer.get_by_text("model-07").first).to_be_visible(timeout=PATIENCE)
    bundle = publish(site, organizer, tmp_path)
    # In a terminal where nobody has set how many threads numbers may use: serve.py has set it for
    # the worker that computed the board.
    assert not any("THREADS" in name for name in site.environment)
    told = site.manage(f"reproduce {bundle}")
    assert "REPRODUCED: all" in told
    assert "to the last digit" in told
    change_a_key_by_two(organizer, reviewer, event)
    take_invitations_back(organizer, reviewer, event)


def look_at_every_page(site: Site, event: str, eyes: list[Page]) -> None:
    """Ask for each page that an address alone leads to, as organizer and as a visitor."""
    paths = pages_of(site, slug=event.split("/")[2], file="judgments.jsonl", export="judgments")
    assert len(paths) > 50
    broken = []
    for page in eyes:
        for path in paths:
            answer = page.request.get(path, max_redirects=0)
            broken += [f"{path}: {answer.status}"] if answer.status >= 500 else []
    assert not broken


def bring_campaign(site: Site, page: Page, folder: Path) -> None:
    """An event whose judgments were collected elsewhere, by command and in the browser."""
    page.goto("/new/")
    fill_event(page, "Campaign")
    press(page, "Save and continue")
    press(page, "Save")
    names = [f"model-{number:02}" for number in range(MODELS)]
    rows = [
        {
            "external_id": f"r{number}",
            "prompt": f"Say something about {number}.",
            "responses": {name: f"Number {number} and {name[-2:]}." for name in names},
        }
        for number in range(RECORDS)
    ]
    records = written(folder / "records.jsonl", rows)
    votes = drawn_votes(names)
    site.manage(f"import_records campaign {records}")
    most = write_votes(folder / "most.csv", votes[BY_HAND:])
    site.manage(f"import_judgments campaign {most}")
    page.goto("/events/campaign/import/votes/")
    import_file(page, write_votes(folder / "rest.csv", votes[:BY_HAND]), new=BY_HAND)
    page.goto("/events/campaign/desk/")
    confirm(page, "Open the event")
    page.goto("/events/campaign/leaderboard/")


def write_votes(path: Path, votes: list[tuple[str, str, str, str, str]]) -> Path:
    """A file as other tools write it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["worker", "record", "model_a", "model_b", "winner"])
        writer.writerows(votes)
    return path


def drawn_votes(names: list[str]) -> list[tuple[str, str, str, str, str]]:
    """Votes in which the later model of the list is better, mostly; each pair once per worker."""
    rng, seen = Random(7), set()
    while len(seen) < VOTES:
        first, second = sorted(rng.sample(range(MODELS), 2))
        key = (f"w{rng.randrange(WORKERS)}", f"r{rng.randrange(RECORDS)}", first, second)
        seen.add(key)
    return [
        (worker, record, names[first], names[second], "b" if rng.random() < 0.7 else "a")
        for worker, record, first, second in sorted(seen)
    ]


def publish(site: Site, page: Page, folder: Path) -> Path:
    """Close, publish, and fetch the bundle in the browser; by command it is the same."""
    page.goto("/events/campaign/desk/")
    confirm(page, "Close the event now")
    publish_result(page)
    page.goto("/events/campaign/")
    with page.expect_download() as download:
        follow(page, "Download the bundle")
    path = folder / "bundle.zip"
    download.value.save_as(path)
    pairs = "exports/pairs.jsonl?aggregate=none&min_votes=1&min_agreement=0&test_share=0&part=all"
    for name in ("leaderboard.csv", "leaderboard.json", "desk/winner/", pairs):
        answer = page.request.get(f"/events/campaign/{name}")
        assert answer.ok, f"{name}: {answer.text()}"
    site.manage("refresh campaign")
    site.manage(f"export campaign --out {folder / 'judgments.jsonl'}")
    site.manage(f"bundle campaign --out {folder / 'again.zip'}")
    site.manage("render_texts campaign")
    site.manage("count_style open-assistants")
    assert "campaign: as written" in site.manage("verify_ledger campaign")
    assert "$schema" in site.manage("board_schema")
    return path


def test_votes_come_by_the_page_and_an_export_of_them_by_both_doors(
    demo: tuple[Site, str], open_page: Callable[[Site], Page], tmp_path: Path
) -> None:
    """Votes from elsewhere, and from another event."""
    site, said = demo
    name, code = organizer_of(said)
    page = open_page(site)
    sign_in(page, name, code)
    file = records(tmp_path / "records.jsonl")
    told = site.manage(f"create_event Sums --scale 5 --organizer {name}")
    assert f"{site.url}/events/sums/desk/" in told
    assert "Imported: 50 created." in site.manage(f"import_records sums {file}")

    bring(page, votes(file, tmp_path / "votes.csv"))
    export = tmp_path / "judgments.jsonl"
    assert "50 rows" in site.manage(f"export sums --out {export}")

    site.manage(f"create_event Copy --scale 5 --organizer {name}")
    assert "Imported: 50 created." in site.manage(f"import_judgments copy {export}")
    site.manage(f"create_event Again --scale 5 --organizer {name}")
    page.goto("/events/again/import/")
    page.locator("input[type=file]").set_input_files(export)
    press(page, "Preview the first rows")
    expect(page.get_by_text("is an export of another event")).to_be_visible()
    press(page, "Import")
    expect(page.get_by_text("Done.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("main")).to_contain_text("50")


def votes(file: Path, path: Path) -> Path:
    """One graded vote on each record of a file."""
    lines = ["judge,question_id,model_a,model_b,overall_preference"]
    for number, name in enumerate(re.findall(r'"external_id": "([^"]+)"', file.read_text())):
        lines.append(f"w{number % 7},{name},ash-1,birch-2,{number % 5 - 2}")
    path.write_text("\n".join(lines))
    return path


def bring(page: Page, file: Path) -> None:
    """Drop votes on their page, say which end is which, and wait for the worker."""
    page.goto("/events/sums/import/")
    follow(page, "Import votes")
    page.locator("input[type=file]").set_input_files(file)
    press(page, "Preview the first rows")
    page.locator("#better-b").check()
    expect(page.get_by_text("50 new votes")).to_be_visible()
    press(page, "Import")
    expect(page.get_by_text("Done.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("main")).to_contain_text("50")

"""One event from an empty site to a reproduced result, on both kinds of site, from outside."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.served.legs import invite_a_reviewer
from tests.served.site import Site
from tests.served.steps import confirm
from tests.served.walk import (
    become_organizer,
    close_and_publish,
    download_bundle,
    join_and_judge,
    open_seats,
    set_up,
    wait_in_line,
    watch_the_board_move,
)

OpenPage = Callable[..., Page]


def test_an_event_from_an_empty_site_to_a_reproduced_result(
    site: Site, open_page: OpenPage, tmp_path: Path
) -> None:
    said = site.start()
    organizer, visitor = open_page(site), open_page(site)
    become_organizer(organizer, site.url, said)
    set_up(organizer, tmp_path)
    open_seats(organizer)
    confirm(organizer, "Open the event")
    expect(organizer.get_by_text("The event is open.")).to_be_visible()
    invite_a_reviewer(site, organizer, open_page, "/events/sums/").close()
    join_and_judge(visitor)
    wait_in_line(open_page(site))
    watch_the_board_move(visitor)
    close_and_publish(organizer)
    bundle = download_bundle(organizer, tmp_path)
    # As anybody would, in a terminal where nobody has set how many threads numbers may use.
    assert "OPENBLAS_NUM_THREADS" not in site.environment
    told = site.manage(f"reproduce {bundle}")
    assert "REPRODUCED" in told
    assert "NOT" not in told

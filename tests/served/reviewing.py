"""The way of a decision: excluded, appealed, granted, undone, warned; and what takes two people."""

from playwright.sync_api import Page, expect

from tests.served.legs import exclude_on_page
from tests.served.site import Site
from tests.served.steps import confirm, follow, press


def appeal_and_warn(
    site: Site, organizer: Page, reviewer: Page, contributor: Page, event: str, name: str
) -> None:
    """Exclude a contributor, who appeals; a reviewer grants it. Exclude once more, undo that by
    keyboard, and warn them: they read it before their next matchup."""
    organizer.goto(f"{event}desk/contributors/?q={name}")
    organizer.locator("main tbody a").first.click()
    exclude_on_page(organizer)

    contributor.goto(f"{event}me/")
    contributor.get_by_text("Appeal", exact=True).click()
    contributor.get_by_label("Why should these judgments count?").fill("I read every pair.")
    contributor.locator("form[action$='/appeal/'] button").click()
    expect(contributor.get_by_text("your appeal is open")).to_be_visible()

    reviewer.goto(f"{event}desk/review/")
    reviewer.locator("main h2 a").first.click()
    reviewer.get_by_label("Your answer").fill("Looked at once more: they do.")
    press(reviewer, "Grant")
    contributor.goto(f"{event}me/")
    expect(contributor.get_by_text("Looked at once more: they do.")).to_be_visible()

    organizer.reload()
    exclude_on_page(organizer)
    follow(organizer, "Excluded on review")
    expect(organizer.get_by_role("heading", name="What is claimed")).to_be_visible()
    case = organizer.url
    for key, words in (("u", "The wrong person."), ("w", "Please read both.")):
        organizer.goto(case)
        organizer.keyboard.press(key)
        expect(organizer.locator("dialog:popover-open textarea[name=note]")).to_be_focused()
        organizer.keyboard.type(words)
        with organizer.expect_navigation():
            organizer.keyboard.press("Enter")
    contributor.goto(f"{event}judge/")
    press(contributor, "I have read this")
    expect(contributor.locator("#answer")).to_be_visible()
    assert "registered" in site.manage("registration open-assistants")
    assert "true" in site.manage("registration open-assistants --verify")
    assert "Does not read" in site.manage("review open-assistants")


def change_a_key_by_two(organizer: Page, reviewer: Page, event: str) -> None:
    """Once the event is over, one proposes another key, and somebody else confirms it."""
    organizer.goto(f"{event}desk/")
    confirm(organizer, "Close the event now")
    organizer.goto(f"{event}desk/controls/")
    organizer.locator("main tbody a").first.click()
    organizer.get_by_text("Change the key").first.click()
    key = organizer.locator("select[name=expected]").first
    key.select_option("b" if key.input_value() == "a" else "a")
    press(organizer, "Change the key")
    expect(organizer.get_by_text("Proposed. Somebody else has to confirm it")).to_be_visible()
    reviewer.goto(f"{event}desk/review/?show=mine")
    reviewer.locator("main h2 a").first.click()
    press(reviewer, "Confirm")
    reviewer.goto(f"{event}desk/decisions/")
    expect(reviewer.get_by_text("Key changed").first).to_be_visible()

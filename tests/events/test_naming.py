"""Names on boards: visible, readable, and nobody else's."""

import pytest
from django.test import Client

from arena.errors import ArenaError
from arena.events.joining.pseudonyms import make_pseudonym
from arena.events.models import Enrollment, Event
from arena.people.display_names import clean_name, get_skeleton
from arena.people.models import User
from tests.factories import make_enrollment, make_event, make_user

pytestmark = pytest.mark.django_db
NAME = "/account/seat/name/"


@pytest.fixture
def event() -> Event:
    return make_event("fair")


@pytest.fixture
def me(event: Event, client: Client) -> User:
    user = make_user()
    make_enrollment(event, user)
    client.force_login(user)
    return user


def choose(client: Client, name: str) -> tuple[int, str]:
    """The status of choosing a name, and the page or the place it leads to."""
    reply = client.post(NAME, {"display_name": name})
    return reply.status_code, reply.headers.get("Location") or reply.content.decode()


def other(event: Event, pseudonym: str = "Teal Heron 4127", name: str = "") -> Enrollment:
    enrollment = make_enrollment(event, make_user(display_name=name))
    enrollment.pseudonym = pseudonym
    enrollment.save()
    return enrollment


@pytest.mark.parametrize(
    "name",
    ["Zoë Ōkawa", "O’Neil-Schmidt Jr.", "張偉", "محمد", "דָּוִד", "नेहा", "สมชาย", "Nguyễn Thị Ánh",
     "🦊", "R2D2", "x", "Mr. Hosting", "Admina", "❤\ufe0f Anna", "Stafford", "Arenas"],
)  # fmt: skip
def test_a_name_of_any_script_is_taken_as_it_is(name: str) -> None:
    assert clean_name(name) == name.replace("\ufe0f", "")


@pytest.mark.parametrize("name", ["張偉", "נָעֳמִי", "🦊"])
def test_a_name_of_any_script_is_kept_as_it_is(client: Client, me: User, name: str) -> None:
    assert choose(client, name) == (302, "/account/seat/")
    me.refresh_from_db()
    assert me.display_name == clean_name(name) == name


@pytest.mark.parametrize(
    "letter",
    [
        *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u115f", "\u1160"),
        *("\u3164", "\uffa0", "\u2800", "\u180e", "\u17b4", "\ufe0f", "\U000e0100", "\U000e0041"),
        *("\u202a", "\u202e", "\u2066", "\u2069", "\u200e", "\u200f", "\u061c", "\u206a", "\ue000"),
        *("\x07", "\u0378"),
    ],
    ids=lambda letter: f"U+{ord(letter):04X}",
)
def test_a_character_that_cannot_be_seen_is_refused_by_its_number(letter: str) -> None:
    for name in (f"Anna{letter}B", letter, f"{letter}Anna"):
        with pytest.raises(ArenaError, match=rf"invisible character \(U\+{ord(letter):04X}\)"):
            clean_name(name)


@pytest.mark.parametrize("blank", ["   ", "\u00a0", "\u3000\u2003", "\t", "\u1680"])
def test_blanks_alone_are_no_name(blank: str) -> None:
    assert clean_name(blank) == ""


def test_a_name_is_taken_back_by_blanks(client: Client, me: User) -> None:
    User.objects.update(display_name="Anna")
    assert choose(client, "\u3000\t")[0] == 302
    me.refresh_from_db()
    assert me.display_name == ""


@pytest.mark.parametrize(
    "name", ["Z" + "\u0301" * 4, "Z" + "\u0335\u20dd\u0489" * 9, "\u0301" * 4 + "Z"]
)
def test_letters_piled_with_accents_are_refused(name: str) -> None:
    with pytest.raises(ArenaError, match="too many accents on one letter"):
        clean_name(name)


def test_three_marks_on_a_letter_are_taken() -> None:
    assert clean_name("x\u0335\u20dd\u0489") == "x\u0335\u20dd\u0489"


@pytest.mark.parametrize("name", ["...", "–", "(?!)", "' '", "·"])
def test_a_name_has_a_letter_or_a_digit(name: str) -> None:
    with pytest.raises(ArenaError, match="at least one letter or digit"):
        clean_name(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Anna\u200bB", "invisible character (U+200B)"),
        ("\x07", "invisible character (U+0007)"),
        ("Z" + "\u0301" * 9, "too many accents on one letter"),
        ("...", "Use at least one letter or digit."),
        ("0rganizer", "could be mistaken for the site’s staff"),
    ],
    ids=["hidden", "control", "accents", "signs", "staff"],
)
def test_the_page_says_why_it_takes_no_such_name(
    client: Client, me: User, name: str, said: str
) -> None:
    status, page = choose(client, name)
    assert status == 422
    assert said in page
    me.refresh_from_db()
    assert me.display_name == ""


@pytest.mark.parametrize(
    "name",
    ["Simulated 003", "simulated", "S i m u l a t e d 9", "Ѕimulated Anna", "The Simulator",
     "5imulated 1", "Organizer", "organisers", "ОRGАNІZЕR", "0rganizer", "Org4nizer",
     "The Organizer", "Co-Organizer", "Ｏｒｇａｎｉｚｅｒ", "𝐎𝐫𝐠𝐚𝐧𝐢𝐳𝐞𝐫", "Örganizer",
     "Crowd Arena", "CrowdArena Team", "crowd-arena", "Admin", "ADMIN1", "Administrator",
     "Staff", "Moderator", "Reviewer 2", "Official", "Anna (staff)", "Support"],
)  # fmt: skip
def test_nobody_poses_as_the_site_its_people_or_a_simulated_contributor(name: str) -> None:
    with pytest.raises(ArenaError, match="could be mistaken for the site’s staff"):
        clean_name(name)


@pytest.mark.parametrize(
    "name",
    ["Teal Heron 4127", "teal heron 9", "TealHeron4127", "Tеаl Неrоn 4127", "Ｔｅａｌ Heron 1234",
     "Teal–Heron #4127", "Téal Hérón 4127"],
)  # fmt: skip
def test_no_name_is_made_like_a_pseudonym(client: Client, me: User, name: str) -> None:
    status, page = choose(client, name)
    assert status == 422
    assert "looks like a pseudonym of this site" in page


def test_every_pseudonym_is_known_for_one(event: Event, client: Client, me: User) -> None:
    for enrollment in [other(event, f"x{number}") for number in range(12)]:
        drawn = make_pseudonym(event.secret, enrollment.public_id)
        assert choose(client, drawn)[0] == 422
    assert choose(client, "Teal Heron")[0] == 302


@pytest.mark.parametrize(
    "mine", ["Anna Lee", "anna lee", "ANNA  LEE", "Аnnа Lее", "Anna_Lee", "Ánna Lee", "AnnaIee"]
)
def test_another_contributors_name_is_refused(
    event: Event, client: Client, me: User, mine: str
) -> None:
    other(event, name="Anna Lee")
    status, page = choose(client, mine)
    assert status == 422
    assert "Somebody in one of your events has this name" in page


def test_another_contributors_imported_pseudonym_is_refused(
    event: Event, client: Client, me: User
) -> None:
    other(event, "worker-17 of the first batch")
    assert choose(client, "Worker 17 of the First Batch")[0] == 422


def test_in_another_event_a_name_may_be_the_same(event: Event, client: Client, me: User) -> None:
    other(make_event(), name="Anna Lee")
    assert choose(client, "Anna Lee")[0] == 302


def test_a_name_that_was_there_before_stays(event: Event, client: Client, me: User) -> None:
    """Kept when the form is sent once more, although it would be refused today."""
    other(event, name="Organizer")
    User.objects.filter(pk=me.pk).update(display_name="Organizer")
    assert choose(client, "Organizer")[0] == 302
    me.refresh_from_db()
    assert me.display_name == "Organizer"


def test_joining_under_a_name_that_is_taken_says_what_to_do(event: Event, client: Client) -> None:
    other(event, name="Anna Lee")
    newcomer = make_user(display_name="Anna Lee")
    client.force_login(newcomer)
    page = client.get("/events/fair/join/").content.decode()
    assert "Somebody in this event is called “Anna Lee” already." in page
    reply = client.post("/events/fair/join/", {"accept": "yes", "version": "1"})
    assert reply.status_code == 409
    assert not event.enrollments.filter(user=newcomer).exists()
    assert choose(client, "Anna L.")[0] == 302
    assert client.post("/events/fair/join/", {"accept": "yes", "version": "1"}).status_code == 302
    assert event.enrollments.filter(user=newcomer).exists()


def test_somebody_who_takes_part_is_not_asked_again(event: Event, client: Client, me: User) -> None:
    User.objects.filter(pk=me.pk).update(display_name="Anna Lee")
    other(event, name="Anna Lee")
    assert "already" not in client.get("/events/fair/judge/", follow=True).content.decode()
    assert "already" not in client.get("/events/fair/join/", follow=True).content.decode()


def test_a_skeleton_keeps_different_names_apart() -> None:
    names = [
        "Anna",
        "Hanna",
        "Bob",
        "Rob",
        "張偉",
        "張伟",
        "Иван",
        "Игорь",
        "🦊",
        "🐻",
        "Zoë",
        "Zora",
    ]
    assert len({get_skeleton(name) for name in names}) == len(names)
    assert clean_name("  Zoe\u0308   Ōkawa ") == "Zoë Ōkawa"

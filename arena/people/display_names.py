"""Checking display names: visible, readable, and not confusable with the site's staff.

Names that look alike have the same skeleton (after Unicode Technical Standard 39, with the
look-alikes of Latin letters that keyboards offer).
"""

import re
import unicodedata

from django.utils.translation import gettext as _

from arena.errors import ArenaError

# Controls, formats (zero width, bidirectional overrides), surrogates, private use, line ends.
INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Invisible characters of other categories: joiners, fillers, variation selectors, the empty Braille
# cell.
BLANK_CHARACTERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Phones append it to many symbols.
EMOJI_SELECTOR = re.compile("(?<=[\u2000-\u3300\U0001f000-\U0001faff])\ufe0f")
# From this many combining marks on, a letter is refused.
MIN_TOWER_HEIGHT = 4

CAPITAL_LOOKALIKES = str.maketrans(
    "АВЕІЈКМНОРСТУХЅҮԌΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEIJKMHOPCTYXSYGABEZHIKMNOPTYX"
)
SMALL_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһӏԛԝкмтвнαορικτχνβευωγηıɑɡøłđħօոսհցᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ",
    "aeopcyxijsdhlqwkmtbhaopiktxvbeuwynıagoldhonuhgabcdefghijklmnoprstuvwyz",
)
SIMILAR_STROKES = str.maketrans({"ı": "l", "i": "l", "1": "l", "|": "l", "0": "o"})
LEET_LETTERS = str.maketrans("3457@$", "eastas")

# Parts of a name that suggest the site's staff or a simulated contributor.
RESERVED_PARTS = (
    "crowdarena",
    "simulat",
    "organizer",
    "organiser",
    "moderator",
    "administrator",
    "reviewer",
)
RESERVED_WORDS = ("admin", "staff", "official", "support")


def clean_name(typed: str) -> str:
    """The normalized name: one visible line. Raises `ArenaError` if it is not acceptable."""
    name = " ".join(EMOJI_SELECTOR.sub("", unicodedata.normalize("NFC", typed)).split())
    if not name:
        return ""
    hidden = next((letter for letter in name if is_invisible(letter)), None)
    if hidden is not None:
        message = _("The name contains an invisible character (U+%(code)04X). Remove it.")
        raise ArenaError(message % {"code": ord(hidden)}, "invisible")
    if has_tower(name):
        raise ArenaError(_("There are too many accents on one letter."), "tower")
    if not any(unicodedata.category(letter)[0] in "LNS" for letter in name):
        raise ArenaError(_("Use at least one letter or digit."), "no_letter")
    if is_reserved(name):
        message = _("This name could be mistaken for the site’s staff. Choose another one.")
        raise ArenaError(message, "reserved")
    return name


def is_invisible(letter: str) -> bool:
    """Whether this character is invisible or changes the text direction."""
    return (
        unicodedata.category(letter) in INVISIBLE_CATEGORIES
        or BLANK_CHARACTERS.match(letter) is not None
    )


def has_tower(name: str) -> bool:
    """Whether more combining marks are stacked on a letter than any script uses."""
    height = 0
    for letter in unicodedata.normalize("NFD", name):
        height = height + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        if height >= MIN_TOWER_HEIGHT:
            return True
    return False


def is_reserved(name: str) -> bool:
    """Whether a name could pass for the site, its staff or a simulated contributor."""
    plain = unicodedata.normalize("NFKC", name)
    whole = {get_skeleton(plain), get_skeleton(plain.translate(LEET_LETTERS))}
    if any(get_skeleton(part) in each for part in RESERVED_PARTS for each in whole):
        return True
    words = {get_skeleton(word.rstrip("0123456789sS")) for word in re.split(r"[\W_]+", plain)}
    return bool((words | whole) & set(map(get_skeleton, RESERVED_WORDS)))


def get_skeleton(name: str) -> str:
    """A key that is equal for names that look alike; never displayed."""
    latin = (
        unicodedata.normalize("NFKC", name)
        .translate(CAPITAL_LOOKALIKES)
        .casefold()
        .translate(SMALL_LOOKALIKES)
    )
    letters = [letter for letter in unicodedata.normalize("NFKD", latin) if letter.isalnum()]
    alike = "".join(letters).translate(SMALL_LOOKALIKES).translate(SIMILAR_STROKES)
    return alike.replace("rn", "m").replace("vv", "w") or latin

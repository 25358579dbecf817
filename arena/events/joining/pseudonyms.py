"""Names under which contributors appear in public: stable, and saying nothing about the person."""

import hmac
from uuid import UUID

COLOURS = tuple(
    """
    Amber Apricot Aqua Ash Auburn Azure Beige Bronze Buff Burgundy Canary Cerise Cherry Chestnut
    Cobalt Copper Coral Cream Crimson Cyan Denim Ebony Emerald Fawn Flax Ginger Gold Graphite
    Green Hazel Henna Indigo Ivory Jade Khaki Lavender Lemon Lilac Lime Linen Magenta Mahogany
    Maroon Mauve Mint Mustard Navy Ochre Olive Orange Peach Pearl Pink Plum Purple Rose Ruby
    Russet Rust Saffron Sand Sapphire Scarlet Sepia Sienna Silver Slate Steel Tan Tawny Teal
    Topaz Turquoise Ultramarine Umber Vanilla Vermilion Violet White Yellow
    """.split()  # noqa: SIM905 - easier to read than a list of quotes
)
BIRDS = tuple(
    """
    Albatross Avocet Bittern Blackbird Bluebird Bunting Bustard Buzzard Canary Chaffinch Condor
    Cormorant Corncrake Crane Cuckoo Curlew Dipper Dove Duck Dunlin Dunnock Eagle Egret Eider
    Falcon Fieldfare Finch Flamingo Gannet Godwit Goldcrest Goldfinch Goose Goshawk Grebe
    Greenfinch Grouse Gull Harrier Hawk Heron Hobby Hoopoe Hornbill Ibis Jackdaw Jay Kestrel
    Kingfisher Kite Kiwi Knot Lapwing Lark Linnet Lorikeet Lyrebird Macaw Magpie Mallard Martin
    Merlin Moorhen Nightingale Nightjar Nuthatch Oriole Osprey Ostrich Ouzel Owl Parakeet Parrot
    Partridge Pelican Penguin Petrel Pheasant Pigeon Pintail Pipit Plover Puffin Quail Raven
    Redpoll Redstart Redwing Robin Rook Sandpiper Shrike Siskin Skylark Snipe Sparrow Spoonbill
    Starling Stilt Stork Swallow Swan Swift Teal Tern Thrush Toucan Turnstone Wagtail Warbler
    Waxwing Wheatear Whimbrel Whinchat Wigeon Woodcock Woodpecker Wren Yellowhammer
    """.split()  # noqa: SIM905 - easier to read than a list of quotes
)


def make_pseudonym(secret: str, public_id: UUID, attempt: int = 0) -> str:
    """The pseudonym of an enrollment, keyed by its event's secret: "Teal Heron 4127".

    `attempt` gives another one where the first is taken: with 300 contributors that happens in
    one event of 2,000.
    """
    digest = hmac.digest(secret.encode(), f"pseudonym|{public_id}|{attempt}".encode(), "sha256")
    number = int.from_bytes(digest, "big")
    number, colour = divmod(number, len(COLOURS))
    number, bird = divmod(number, len(BIRDS))
    return f"{COLOURS[colour]} {BIRDS[bird]} {number % 9000 + 1000}"

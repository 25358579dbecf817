"""Words for usernames: short, plain, easy to read aloud, harmless in every combination.

All combinations with the numbers make eleven million names.
"""

ADJECTIVES = tuple(
    """
    able agile airy alert alpine ample apt arctic autumn awake balmy bold bonny brave breezy brisk
    bright bronze calm candid careful cheery clear clever coastal comfy copper coral cosmic cosy
    crisp curious dapper daring dawn deft early earnest easy eager elegant even fair fancy fleet
    fluent fond frank fresh friendly frosty gallant generous gentle gilded glad gleaming global
    golden graceful grand green handy happy hardy hazel honest hopeful humble icy indigo jade jaunty
    jolly jovial joyful keen kind lively local loyal lucid lucky lunar lush maple marble mellow
    merry mighty mild mindful misty modern modest neat nimble noble northern olive patient peaceful
    pearly placid pleasant polite prime proud quick quiet radiant rapid ready robust rosy rustic
    sage serene sharp silver
    """.split()  # noqa: SIM905 - easier to read than a list of quotes
)

NOUNS = tuple(
    """
    acorn alder almond anchor apple arbor arch aspen aster atlas badge bamboo banjo barley basil
    beacon bell birch bison blossom boat book bridge brook cabin canoe canyon cedar cello cherry
    clover cloud comet compass cove crane creek cricket daisy delta dune eagle echo elm ember falcon
    fern field finch fjord flute forest fox gable garden garnet gazelle ginger glacier grove gull
    harbor hare harp heron hill holly ibis inlet iris island ivy jasmine kayak kestrel kettle kite
    koala lagoon lake lantern lark laurel lemon lilac lily lotus lynx magpie mango maple meadow mesa
    mill mint mirror moon moss nectar oak oasis ocean olive opal orbit orchid otter owl panda
    peach pebble pepper pine planet plum pond poppy quartz
    """.split()  # noqa: SIM905 - easier to read than a list of quotes
)

# Three digits, without those that stand for something else.
NUMBERS = tuple(n for n in range(200, 1000) if n not in {420, 666, 911})

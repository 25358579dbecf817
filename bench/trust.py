"""Who can be relied on, in simulated events, by the product's own functions.

    python -m bench.trust [--quick] [--only reliability|rigging|screens|prize|agent|real|exposure|…]

The people and models of `bench.trust_world`, with seeds 0, 1, 2, …; every figure is a mean over
them, printed with its standard error. Ends in one line for each goal.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from tempfile import TemporaryFile

# Module and function of each part. They are imported when it is known how many threads their
# numbers may use, and not at all by processes that have been started for one part.
PARTS = {
    "reliability": ("bench.trust_reliability", "measure_reliability"),
    "rigging": ("bench.trust_rigging", "measure_rigging"),
    "screens": ("bench.trust_screens", "measure_screens"),
    "prize": ("bench.trust_prize", "measure_prize"),
    "agent": ("bench.trust_prize", "measure_agents"),
    "real": ("bench.trust_real", "measure_real"),
    "pages": ("bench.trust_pages", "measure_pages"),
    "removals": ("bench.trust_removals", "measure_removals"),
    "exposure": ("bench.trust_exposure", "measure_exposure"),
    "publishing": ("bench.trust_publishing", "measure_publishing"),
}
LONGEST = ("removals", "publishing")
"""Parts that begin first."""


def main() -> None:
    """Measure the parts that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="two seeds")
    parser.add_argument("--only", choices=sorted(PARTS), action="append", help="this part")
    parser.add_argument("--cost", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.cost:
        import_module("bench.trust_reliability").measure_cost()
        return
    if options.quick and not options.only:
        measure_side_by_side()
        return
    for name in options.only or PARTS:
        measure(name, is_quick=options.quick)


def measure(name: str, *, is_quick: bool) -> None:
    """Print a part's figures and goals."""
    figures = import_module("bench.trust_figures")
    module, function = PARTS[name]
    measure_part = getattr(import_module(module), function)
    measure_part(figures.QUICK_SEEDS if is_quick else figures.SEEDS)


def measure_side_by_side() -> None:
    """Every part with two seeds, as many at once as there are processors, each in a copy of this
    process: what they all need is imported once."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    for module, _ in PARTS.values():
        import_module(module)
    with ProcessPoolExecutor(os.cpu_count(), get_context("fork")) as pool:
        for said in pool.map(measure_quietly, sorted(PARTS, key=lambda name: name not in LONGEST)):
            print(said, end="", flush=True)


def measure_quietly(name: str) -> str:
    """What a part prints with two seeds, and the processes that it starts."""
    ours = os.dup(1)
    with TemporaryFile("w+", encoding="utf-8") as said:
        os.dup2(said.fileno(), 1)
        try:
            measure(name, is_quick=True)
        finally:
            sys.stdout.flush()
            os.dup2(ours, 1)
            os.close(ours)
        said.seek(0)
        return said.read()


if __name__ == "__main__":
    main()

"""How fast a new judgment reaches the boards of a large event, on PostgreSQL.

    python -m bench.refresh [--quick]

An event of 100 models, 20,000 contributors and 1 and 10 million judgments (with --quick 100,000
and 500,000), a tenth of them on 200 controls, is made inside the server. Then, each in a process of
its own: the first refresh, with nothing kept from before; and refreshes after 10,000 further
judgments, from the statement that finds them to the written snapshot. What the boards of
categories, the standings and the figures beside the overall boards take is given apart. Memory is
the process's peak as the operating system counted it.
"""

# ruff: noqa: PLC0415 - each part sets Django up in a process of its own
import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

ROUNDS = 5
NEW_JUDGMENTS = 10_000
BESIDE_OVERALL = (
    "leaderboard.snapshots.publishing.write_standings",
    "leaderboard.snapshots.refresh.file_matchups",
    "leaderboard.snapshots.refresh.read_contents",
    "leaderboard.snapshots.refresh.compute_style_board",
    "leaderboard.snapshots.refresh.describe_board",
    "leaderboard.snapshots.refresh.diagnose",
    "leaderboard.snapshots.refresh.measure_bias",
    "leaderboard.boards.snapshot_counts.count_over_time",
    "leaderboard.boards.snapshot_counts.count_origins",
    "leaderboard.boards.snapshot_counts.flatten_pairs",
)


def main() -> None:
    """Measure each size on a server of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="100,000 and 500,000 judgments")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--judgments", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        run_part(options.part, options.judgments)
        return
    sizes = (100_000, 500_000) if options.quick else (1_000_000, 10_000_000)
    goals = [line for judgments in sizes for line in measure(judgments)]
    print("\n".join(goals))


def measure(judgments: int) -> list[str]:
    """Fill a database, refresh it from nothing and after further judgments; the goals' lines."""
    from tests.services import Services

    services = Services("postgresql")
    try:
        services.start_redis()
        services.start_postgresql()
        environment = os.environ | services.environment("postgres")
        environment |= {"DEBUG": "0", "SECRET_KEY": "for-the-bench-only", "LOG_LEVEL": "WARNING"}
        filled = run_in_process("fill", judgments, environment)
        print(f"{judgments:,} judgments, made in {filled['seconds']:.0f} s", flush=True)
        cold = run_in_process("cold", judgments, environment)
        print_figures("first refresh", cold)
        warm = run_in_process("warm", judgments, environment)
        print_figures(f"after {NEW_JUDGMENTS:,} more", warm)
    finally:
        services.stop()
    name = f"{judgments // 1000}k"
    memory = max(cold["peak_mb"], warm["peak_mb"])
    return [
        format_goal(f"refresh-overall-{name}", warm["overall"], 2.0, "s"),
        format_goal(
            f"refresh-everything-else-{name}", warm["seconds"] - warm["overall"], 60.0, "s"
        ),
        format_goal(f"refresh-cold-{name}", cold["seconds"], 60.0, "s"),
        format_goal(f"refresh-memory-{name}", memory, 1024.0, "MiB"),
    ]


def run_in_process(name: str, judgments: int, environment: dict[str, str]) -> dict[str, float]:
    """Run one part in a process of its own."""
    command = [sys.executable, "-m", "bench.refresh", "--part", name, "--judgments", str(judgments)]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def print_figures(name: str, result: dict[str, float]) -> None:
    """One line of figures."""
    print(
        f"  {name}: {result['seconds']:.2f} s, of it the overall boards {result['overall']:.2f} s; "
        f"of this process {result['cpu']:.2f} s and {result['overall_cpu']:.2f} s; "
        f"peak {result['peak_mb']:.0f} MiB",
        flush=True,
    )


def format_goal(name: str, value: float, most: float, unit: str) -> str:
    """Whether a figure is within its goal."""
    return f"goal {name} {value:.2f}{unit} {most:g}{unit} {'ok' if value <= most else 'short'}"


# --- in a process of its own -------------------------------------------------------------------
def run_part(name: str, judgments: int) -> None:
    """Do one part and print what it took."""
    import django

    django.setup()
    parts: dict[str, Callable[[int], dict[str, float]]] = {
        "fill": fill,
        "cold": cold_refresh,
        "warm": warm_refresh,
    }
    result = parts[name](judgments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(result | {"peak_mb": peak}))


def fill(judgments: int) -> dict[str, float]:
    """Make the database and the event."""
    from django.core.management import call_command

    from bench.filling import Size, make_event

    begin = time.perf_counter()
    call_command("migrate", verbosity=0)
    make_event(Size(judgments))
    return {"seconds": time.perf_counter() - begin}


def cold_refresh(judgments: int) -> dict[str, float]:
    """The first refresh of the event."""
    return time_refresh()


def warm_refresh(judgments: int) -> dict[str, float]:
    """The median of some refreshes, each after 10,000 further judgments."""
    from arena.events.models import Event
    from bench.filling import Size, add_judgments

    results = []
    for number in range(ROUNDS):
        add_judgments(
            Event.objects.get(), Size(judgments), judgments + number * NEW_JUDGMENTS, NEW_JUDGMENTS
        )
        results.append(time_refresh())
    return sorted(results, key=lambda result: result["overall"])[ROUNDS // 2]


def time_refresh() -> dict[str, float]:
    """One refresh, with the time that other than the overall boards took told apart."""
    from django.utils import timezone

    from arena.events.models import Event
    from leaderboard.contributors.reliability import refresh_reliability
    from leaderboard.snapshots.refresh import refresh_event

    beside: list[tuple[float, float]] = []
    event = Event.objects.get()
    refresh_reliability(event, now=timezone.now())  # a task of its own
    with ExitStack() as stack:
        for name in BESIDE_OVERALL:
            stack.enter_context(add_time_of(name, beside))
        stack.enter_context(add_time_of_categories(beside))
        begin = read_clocks()
        snapshot = refresh_event(event, now=timezone.now())
        seconds, cpu = elapsed_since(begin)
    assert snapshot is not None
    others, others_cpu = (sum(column) for column in zip(*beside, strict=True))
    return {
        "seconds": seconds,
        "cpu": cpu,
        "overall": seconds - others,
        "overall_cpu": cpu - others_cpu,
    }


def read_clocks() -> tuple[float, float]:
    """The time on the wall and of the processor, which a busy machine makes two things."""
    return time.perf_counter(), time.process_time()


def elapsed_since(begin: tuple[float, float]) -> tuple[float, float]:
    """What both clocks have moved on."""
    wall, cpu = read_clocks()
    return wall - begin[0], cpu - begin[1]


@contextmanager
def add_time_of(name: str, spent: list[tuple[float, float]]) -> Iterator[None]:
    """Add up what a function takes."""
    module, function = name.rsplit(".", 1)
    original = getattr(sys.modules[module], function)

    def measured(*args: Any, **options: Any) -> Any:
        begin = read_clocks()
        try:
            return original(*args, **options)
        finally:
            spent.append(elapsed_since(begin))

    with patch(name, measured):
        yield


@contextmanager
def add_time_of_categories(spent: list[tuple[float, float]]) -> Iterator[None]:
    """Add up what the boards of categories take, reading their votes included.

    What was timed within is part of it, and is not counted again.
    """
    from leaderboard.snapshots import refresh

    original = refresh.votes_by_board

    def measured(*args: Any) -> Iterator[Any]:
        is_overall, boards = True, original(*args)
        begin, before = read_clocks(), len(spent)
        for spec, votes in boards:
            is_overall = is_overall and spec.category is None
            yield spec, votes
            if is_overall:
                begin, before = read_clocks(), len(spent)
        if not is_overall:
            spent[before:] = [elapsed_since(begin)]

    with patch("leaderboard.snapshots.refresh.votes_by_board", measured):
        yield


if __name__ == "__main__":
    main()

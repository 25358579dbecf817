"""How long importing takes, how much memory, and how long others wait for the database.

    python -m bench.importing [--quick] [--database sqlite|postgresql]

Records of two responses (about 2 kB each) are imported by a process of its own, once 10,000 and
once 100,000, while another process judges, one contributor after another: draw an assignment,
store the answers, then write a single row. Then votes are imported in the same way. Peak memory is
what the operating system counted; the wait is that of the single write.
"""

# ruff: noqa: PLC0415 - each part sets Django up in a process of its own, with its own database
import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CATEGORIES = ("coding", "mathematics", "writing", "reasoning", "facts", "chat")
MODELS = tuple(f"Aspen-{size}B-chat" for size in (1, 2, 3, 4, 7, 8, 9, 13, 34, 70))
TEXT = (
    "the of a to in is and that for it with as on be are this by an or from which can not have was "
    "list function value **result** number model answer because example each return between first "
    "`code` second water light history people world language method simple however several follows"
)
WORDS = TEXT.split()


def main() -> None:
    """Measure each database in turn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        run_part(options.part, options.file)
        return
    small, large = (1_000, 10_000) if options.quick else (10_000, 100_000)
    with tempfile.TemporaryDirectory(prefix="arena-bench-") as folder:
        for database in options.database or ("sqlite", "postgresql"):
            measure(database, small, large, Path(folder))


def measure(database: str, small: int, large: int, folder: Path) -> None:
    """Import both sizes into one database and print the goals."""
    from tests.services import Services

    services = Services(database)
    try:
        services.start_redis()
        if database == "postgresql":
            services.start_postgresql()
        environment = os.environ | services.environment(
            "postgres" if database != "sqlite" else "bench"
        )
        # As in production: with DEBUG, Django keeps the last 9,000 statements with their texts.
        environment |= {"DEBUG": "0", "SECRET_KEY": "for-the-bench-only", "LOG_LEVEL": "WARNING"}
        run_in_process("prepare", environment, write_records(folder / "pool.jsonl", "pool", 500))
        results = {}
        for size in (small, large):
            file = write_records(folder / f"{size}.jsonl", f"r{size}", size)
            with JudgingProcess(environment) as judge:
                results[size] = run_in_process("records", environment, file)
            results[size] |= judge.result
            print_figures(database, f"{size:,} records", results[size])
        votes = write_votes(folder / "votes.csv", f"r{large}", large)
        with JudgingProcess(environment) as judge:
            cast = run_in_process("votes", environment, votes)
        cast |= judge.result
        print_figures(database, f"{large:,} votes", cast)
    finally:
        services.stop()
    scale = 100_000 / large
    peak, base = results[large]["peak_mb"], results[small]["peak_mb"]
    print_goal(f"import_100k_seconds_{database}", results[large]["seconds"] * scale, 120)
    # SQLite's page cache (64 MB a connection, see settings) fills with the database, not the file.
    print_goal(
        f"import_memory_growth_mb_{database}", peak - base, 80 if database == "sqlite" else 16
    )
    print_goal(f"import_longest_wait_seconds_{database}", results[large]["longest"], 1.5)
    print_goal(f"import_votes_longest_wait_seconds_{database}", cast["longest"], 1.5)


def print_figures(database: str, what: str, result: dict[str, Any]) -> None:
    """One line a run."""
    print(
        f"{database:10} {what:16} {result['seconds']:7.1f} s ({result['cpu']:.1f} s of CPU)  "
        f"peak {result['peak_mb']:.0f} MB  meanwhile: {result['steps']:,} judgments, the longest "
        f"{result['step'] * 1000:.0f} ms; single writes median {result['median'] * 1000:.0f} ms, "
        f"longest {result['longest'] * 1000:.0f} ms"
    )


def print_goal(name: str, value: float, most: float) -> None:
    """Whether a figure is within its goal."""
    print(f"goal {name} {value:.3g} {most:g} {'ok' if value <= most else 'short'}", flush=True)


# --- processes --------------------------------------------------------------------------------
def part_command(name: str, file: Path | None) -> list[str]:
    """This module again, in a process of its own."""
    return [
        sys.executable,
        "-m",
        "bench.importing",
        "--part",
        name,
        *(["--file", str(file)] if file else []),
    ]


def run_in_process(name: str, environment: dict[str, str], file: Path) -> dict[str, Any]:
    """Run a part to its end; what it has measured."""
    done = subprocess.run(
        part_command(name, file), env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    return json.loads(done.stdout)


class JudgingProcess:
    """Somebody judges while the body runs; `result` afterwards."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.result: dict[str, Any] = {}

    def __enter__(self) -> "JudgingProcess":
        self.process = subprocess.Popen(
            part_command("judge", None), env=self.environment, cwd=ROOT, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.process.stdout.readline()
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        output, _ = self.process.communicate(timeout=60)
        self.result = json.loads(output)


def run_part(name: str, file: Path | None) -> None:
    """In a process of its own: do one thing and print what was measured as JSON."""
    import django

    django.setup()
    parts = {"prepare": prepare_event, "records": import_file, "votes": import_votes}
    if name == "judge":
        judge_until_stopped()
        return
    assert file is not None
    started = time.perf_counter()
    parts[name](file)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    measured = {
        "seconds": time.perf_counter() - started,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / 1024,
    }
    print(json.dumps(measured))


def prepare_event(file: Path) -> None:
    """Tables, an event, records to judge, and contributors."""
    from django.core.management import call_command

    from tests.factories import make_enrollment, make_event

    call_command("migrate", verbosity=0)
    event = make_event("bench", overlap=50, recurrence_gap=0)
    import_file(file)
    for _ in range(50):
        make_enrollment(event)


def import_file(file: Path) -> None:
    """Import records."""
    from django.utils import timezone

    from arena.events.importing import import_records
    from arena.events.models import Event

    event = Event.objects.get(slug="bench")
    report = import_records(event, file, accepts_doubts=True, now=timezone.now(), rng=Random(1))
    assert report.landed, report.errors


def import_votes(file: Path) -> None:
    """Import votes."""
    from django.utils import timezone

    from arena.events.models import Event
    from arena.judging.importing import import_judgments

    event = Event.objects.get(slug="bench")
    report = import_judgments(event, file, now=timezone.now(), rng=Random(1))
    assert report.landed, report.errors


def judge_until_stopped() -> None:
    """Judge until told to stop; print how long the steps took."""
    from django.utils import timezone

    from arena.events.models import Enrollment
    from arena.judging.recording import check_answers, record_judgment
    from arena.judging.serving.leases import next_assignment

    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    rng = Random(2)
    steps: list[float] = []
    writes: list[float] = []
    crowd = list(Enrollment.objects.filter(event__slug="bench", external_id=None))
    print("ready", flush=True)
    while not stopped:
        enrollment = rng.choice(crowd)
        started = time.perf_counter()
        assignment = next_assignment(enrollment, rng, timezone.now())
        if assignment is not None:
            answers = check_answers(assignment, {"preference": rng.choice(("a1", "tie", "b2"))})
            record_judgment(assignment, answers, now=timezone.now())
        steps.append(time.perf_counter() - started)
        started = time.perf_counter()
        Enrollment.objects.filter(pk=enrollment.pk).update(guidelines_at=timezone.now())
        writes.append(time.perf_counter() - started)
        time.sleep(0.02)
    print(
        json.dumps(
            {
                "steps": len(steps),
                "step": max(steps, default=0.0),
                "median": sorted(writes)[len(writes) // 2] if writes else 0.0,
                "longest": max(writes, default=0.0),
            }
        )
    )


# --- input ------------------------------------------------------------------------------------
def write_records(path: Path, prefix: str, count: int) -> Path:
    """Records of two responses; the same on every run."""
    rng = Random(prefix)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            first, second = rng.sample(MODELS, 2)
            record = {
                "external_id": f"{prefix}-{number}",
                "prompt": make_text(rng, 40),
                "categories": [rng.choice(CATEGORIES)],
                "metadata": {"number": number},
                "responses": {first: make_text(rng, 150), second: make_text(rng, 150)},
            }
            file.write(json.dumps(record) + "\n")
    return path


def write_votes(path: Path, prefix: str, count: int) -> Path:
    """One vote on each of the records that `write_records` wrote, by 1,000 workers."""
    rng, votes = Random(3), Random(prefix)
    with path.open("w", encoding="utf-8") as file:
        file.write("worker,record,model_a,model_b,winner\n")
        for number in range(count):
            first, second = votes.sample(MODELS, 2)
            (
                make_text(votes, 40),
                votes.choice(CATEGORIES),
                make_text(votes, 150),
                make_text(votes, 150),
            )
            winner = rng.choice(("a", "b", "tie"))
            file.write(f"w{rng.randrange(1000)},{prefix}-{number},{first},{second},{winner}\n")
    return path


def make_text(rng: Random, words: int) -> str:
    """Some words, in lines of twelve."""
    drawn = rng.choices(WORDS, k=words)
    return "\n".join(" ".join(drawn[at : at + 12]) for at in range(0, words, 12))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()

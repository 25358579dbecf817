"""Readiness: asked by anybody, found out rarely, and never waited for by more than one."""

import threading

from arena.monitoring.bounded import BoundedChecks
from arena.monitoring.readiness import KEEP_SECONDS, Readiness


def test_it_is_found_out_once_in_five_seconds() -> None:
    now, looks = [100.0], []
    problems = ["refused", "", "refused"]

    def check() -> str:
        looks.append(now[0])
        return problems.pop()

    readiness = Readiness(BoundedChecks({"database": check}), clock=lambda: now[0])
    assert [readiness.is_ready() for _ in range(3)] == [False] * 3
    now[0] += KEEP_SECONDS
    assert [readiness.is_ready() for _ in range(3)] == [True] * 3
    assert looks == [100.0, 105.0]


def test_who_asks_while_somebody_looks_gets_the_last_answer() -> None:
    now, look, looking = [0.0], threading.Event(), threading.Event()

    def check() -> str:
        looking.set()
        look.wait()
        return ""

    readiness = Readiness(BoundedChecks({"disk": check}), clock=lambda: now[0])
    look.set()
    assert readiness.is_ready()
    now[0] += KEEP_SECONDS
    look.clear()
    looking.clear()
    first = threading.Thread(target=readiness.is_ready)
    first.start()
    looking.wait()
    assert readiness.is_ready()  # at once: nothing is over before `look`
    look.set()
    first.join()


def test_a_check_that_hangs_is_told_and_not_begun_again() -> None:
    begun, end = [], threading.Event()

    def hang() -> str:
        begun.append(1)
        end.wait()
        return ""

    def fail() -> str:
        raise OSError("no space left\non the device")

    checks = BoundedChecks({"broker": hang, "disk": fail})
    for _ in range(2):
        said = checks.run(0.05)
        assert "no answer" in said["broker"]
        assert said["disk"] == "OSError: no space left"
    end.set()
    checks.hanging["broker"].join()
    assert checks.run(5)["broker"] in ("", "no answer within 5 seconds")
    assert len(begun) <= 2

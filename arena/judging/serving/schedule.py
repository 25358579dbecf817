"""When a contributor meets a control, or an anchor: keyed-random, front-loaded, following the
served ordinal."""

import hashlib
import hmac

from arena.events.lifecycle.control_runs import ANCHORS_PER_CONTROL, OPENING_RUNS


def get_run(ordinal: int, interval: int) -> tuple[int, int]:
    """The first and last ordinal of the run of turns that contains this ordinal."""
    for first, last in OPENING_RUNS:
        if ordinal <= last:
            return first, last
    after = OPENING_RUNS[-1][1]
    index = (ordinal - after - 1) // interval
    return after + index * interval + 1, after + (index + 1) * interval


def count_turns_until_controls(controls: int, interval: int) -> int:
    """Turns after which every contributor has been served this many controls (at least 1)."""
    later = controls - len(OPENING_RUNS)
    return OPENING_RUNS[controls - 1][1] if later <= 0 else OPENING_RUNS[-1][1] + later * interval


def is_control_turn(secret: str, enrollment_id: str, ordinal: int, interval: int) -> bool:
    """Whether the assignment with this 1-based ordinal is to be a control.

    The place inside a run is HMAC-SHA256(event's secret, enrollment ‖ run) modulo its length:
    nobody without the secret can predict it, and a skip does not shift it.
    """
    run = get_run(ordinal, interval)
    return ordinal == draw_control_place(secret, enrollment_id, run)


def is_anchor_turn(secret: str, enrollment_id: str, ordinal: int, interval: int) -> bool:
    """Whether it is to be an anchor: two places of each run are, beside that of its control."""
    run = get_run(ordinal, interval)
    return ordinal in draw_anchor_places(secret, enrollment_id, run)


def draw_control_place(secret: str, enrollment_id: str, run: tuple[int, int]) -> int:
    """The ordinal of a run's control."""
    first, last = run
    return first + draw_number(secret, f"control:{enrollment_id}:{first}") % (last - first + 1)


def draw_anchor_places(secret: str, enrollment_id: str, run: tuple[int, int]) -> list[int]:
    """The ordinals of a run's anchors, other than its control's; fewer in a run too short."""
    control = draw_control_place(secret, enrollment_id, run)
    left = [ordinal for ordinal in range(run[0], run[1] + 1) if ordinal != control]
    places = []
    for number in range(min(ANCHORS_PER_CONTROL, len(left))):
        drawn = draw_number(secret, f"anchor:{enrollment_id}:{run[0]}:{number}")
        places.append(left.pop(drawn % len(left)))
    return places


def draw_number(secret: str, message: str) -> int:
    """64 bits of HMAC-SHA256."""
    draw = hmac.new(secret.encode(), message.encode(), hashlib.sha256).digest()
    return int.from_bytes(draw[:8], "big")

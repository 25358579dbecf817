"""When a contributor meets a control: keyed-random, front-loaded, following the served ordinal."""

import hashlib
import hmac

# The first runs of served ordinals; each holds one control, at a keyed-random place.
OPENING_RUNS = ((1, 5), (6, 10), (11, 20), (21, 30))


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
    first, last = get_run(ordinal, interval)
    message = f"control:{enrollment_id}:{first}".encode()
    draw = hmac.new(secret.encode(), message, hashlib.sha256).digest()
    return ordinal == first + int.from_bytes(draw[:8], "big") % (last - first + 1)

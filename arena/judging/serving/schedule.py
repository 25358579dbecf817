"""When a contributor meets a control: keyed-random, front-loaded, following the served ordinal."""

import hashlib
import hmac

# One control at a keyed-random place in each of these runs of served ordinals.
OPENING = ((1, 5), (6, 10), (11, 20), (21, 30))


def run_of(ordinal: int, interval: int) -> tuple[int, int]:
    """The first and last ordinal of the run that this ordinal lies in."""
    for first, last in OPENING:
        if ordinal <= last:
            return first, last
    after = OPENING[-1][1]
    index = (ordinal - after - 1) // interval
    return after + index * interval + 1, after + (index + 1) * interval


def met_by(controls: int, interval: int) -> int:
    """The ordinal by which everybody who skips nothing has met so many controls, at least one."""
    later = controls - len(OPENING)
    return OPENING[controls - 1][1] if later <= 0 else OPENING[-1][1] + later * interval


def is_control_turn(secret: str, enrollment_id: str, ordinal: int, interval: int) -> bool:
    """Whether the assignment with this 1-based ordinal is to be a control.

    The place inside a run is HMAC-SHA256(event's secret, enrollment ‖ run) modulo its length:
    nobody without the secret can tell, and a skip cannot shift it.
    """
    first, last = run_of(ordinal, interval)
    message = f"control:{enrollment_id}:{first}".encode()
    draw = hmac.new(secret.encode(), message, hashlib.sha256).digest()
    return ordinal == first + int.from_bytes(draw[:8], "big") % (last - first + 1)

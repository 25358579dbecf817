"""The lines that say whether a figure reaches its goal."""


def print_goal(name: str, value: float, target: float, *, at_least: bool = False) -> None:
    """Print `goal NAME VALUE TARGET ok`, or `short`."""
    reached = value >= target if at_least else value <= target
    print(f"goal {name} {value:.4g} {target:g} {'ok' if reached else 'short'}", flush=True)

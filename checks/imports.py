"""The imports of the project as import-linter sees them, and the circles among its modules.

`python -m checks.imports [ROOT]` fails where a module imports itself by way of others. That imports
point down only is said by the contracts of `.importlinter`; they leave out what lies side by side.
"""

import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from grimp import ImportGraph, build_graph

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("arena", "leaderboard")


def read_imports(root: Path = ROOT) -> ImportGraph:
    """Every import among the modules below a folder, those inside functions too.

    Where this process has imported the packages already, they are read where they come from.
    """
    sys.path.insert(0, str(root))
    try:
        return build_graph(*PACKAGES, cache_dir=None)
    finally:
        sys.path.remove(str(root))


def find_circle(graph: ImportGraph) -> list[str]:
    """Modules of which each imports the next and the last is the first again; empty for none."""
    imported = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))  # graphlib lists what is imported first
    return []


def main() -> int:
    """Name a circle, if there is one."""
    root = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    if circle := find_circle(read_imports(root)):
        print("Modules that import each other in a circle:\n  " + " ->\n  ".join(circle))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

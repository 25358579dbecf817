"""Which pages, commands and tasks the served tests have reached, and which there are."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.served.site import Site
from tests.services import ROOT

# Run by `manage.py shell` on the site: what there is, and which page each path is one of.
LISTING = ROOT / "tests" / "served" / "listing.py"
AWAY = "/account/login/?"


@dataclass
class Reached:
    """Names of pages, commands and tasks."""

    pages: set[str] = field(default_factory=set)
    commands: set[str] = field(default_factory=set)
    tasks: set[str] = field(default_factory=set)

    def missing_from(self, there: "Reached", argued: dict[str, str]) -> list[str]:
        """What there is, has not been reached, and stands in no exception."""
        left = [
            *(f"page {name}" for name in there.pages - self.pages),
            *(f"command {name}" for name in there.commands - self.commands),
            *(f"task {name}" for name in there.tasks - self.tasks),
        ]
        return sorted(name for name in left if not any(fnmatchcase(name, each) for each in argued))

    def needless(self, there: "Reached", argued: dict[str, str]) -> list[str]:
        """Exceptions for what has been reached, or for nothing at all."""
        left = set(self.missing_from(there, {}))
        return sorted(each for each in argued if not any(fnmatchcase(name, each) for name in left))


def pages_of(site: Site, **arguments: str) -> list[str]:
    """The paths of every page that no other arguments lead to."""
    wanted = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)|[\\^$]")
    paths = []
    for route in ask(site, [])["pages"].values():
        names = {found[1] or found[2] for found in wanted.finditer(route)} - {None}
        if names <= arguments.keys() and "\\" not in route:
            paths.append("/" + wanted.sub(lambda found: arguments.get(found[1] or "", ""), route))
    return sorted(set(paths))


def list_site(site: Site) -> tuple[Reached, Reached]:
    """What has been reached on a site, and everything that there is."""
    found = ask(site, sorted(answered_paths(site)))
    there = Reached(set(found["pages"]), set(found["commands"]), set(found["tasks"]))
    return Reached(set(found["visited"]), set(site.commands), set(site.received())), there


def ask(site: Site, paths: list[str]) -> dict[str, Any]:
    """Run the listing on a site."""
    listed = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", LISTING.read_text()],
        check=True,
        cwd=ROOT,
        env=site.environment,
        input=json.dumps({"paths": paths}),
        stdout=subprocess.PIPE,
        text=True,
    )
    return dict(json.loads(listed.stdout))


def answered_paths(site: Site) -> set[str]:
    """The paths that a page or a form's redirect came from; being sent to sign in is no answer."""
    paths = set()
    for line in site.access.read_text().splitlines():
        status, target, path = line.split(" ", 2)
        if status[0] in "23" and not target.startswith(AWAY):
            paths.add(path)
    return paths

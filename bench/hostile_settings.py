"""The settings of a site without budgets, to see what `bench.hostile` finds there; never deployed.

Texts are rendered for every view by the web process, files are read to their end, no request has a
deadline, and sealing and boards wait behind imports.
"""

from arena.queues import TASK_ROUTES
from arena.settings import *  # noqa: F403
from arena.settings import INSTALLED_APPS as SITE_APPS

INSTALLED_APPS = [*SITE_APPS, "bench.unlimited.UnlimitedConfig"]
BEHIND_IMPORTS = ("seal_ledgers", "refresh_boards", "refresh_board")
CELERY_TASK_ROUTES = {
    task: {"queue": "imports"} if task.endswith(BEHIND_IMPORTS) else route
    for task, route in TASK_ROUTES.items()
}
REQUEST_PROCESSOR_SECONDS = 1e9

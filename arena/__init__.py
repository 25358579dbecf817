"""Crowd Arena: crowd-evaluation competitions with an honest leaderboard. The project's settings and
URLs, and the apps; ratings and boards are in `leaderboard`, beside this package.
"""

# Every process that imports anything of ours, the web server too, sends tasks through this
# application: without it `.delay` would use Celery's default one and look for a broker elsewhere.
from arena.celery import app as celery_app

__all__ = ["celery_app"]

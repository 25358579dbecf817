"""Which queue each Celery task waits in, so that no kind of work waits behind another.

`ledger` holds sealing alone. `boards` computes. `sweeps` are short: leases, seats, event times. The
processes of the boards take both in turn. `imports` runs what people upload, and renders its texts.
`exports` is for what may take long and nobody watches: bundles, notices, checks of whole ledgers.
`mail` sends: somebody waits for a code.
"""

from typing import Any

QUEUES = ("ledger", "boards", "sweeps", "imports", "exports", "mail")

TASK_ROUTES = {
    task: {"queue": queue}
    for queue, tasks in {
        "ledger": ("arena.judging.tasks.seal_ledgers",),
        "boards": (
            "leaderboard.tasks.refresh_boards",
            "leaderboard.tasks.refresh_board",
            "leaderboard.tasks.refresh_reliabilities",
            "leaderboard.tasks.compute_reliability",
            "leaderboard.tasks.measure_exposure",
            "leaderboard.tasks.refresh_cases",
            "leaderboard.tasks.measure_cases",
            "leaderboard.tasks.thin_snapshots",
        ),
        "sweeps": (
            "arena.events.tasks.advance_events",
            "arena.judging.tasks.adopt_imports",
            "arena.judging.tasks.finish_erasures",
            "arena.judging.tasks.return_unused_seats",
            "arena.judging.tasks.sweep_leases",
            "arena.people.tasks.forget_messages_and_guesses",
        ),
        "imports": (
            "arena.events.tasks.run_import",
            "arena.events.tasks.remove_import",
            "arena.events.tasks.finish_import",
            "arena.events.tasks.render_texts",
            "arena.events.tasks.sweep_uploads",
            "arena.judging.tasks.run_vote_import",
        ),
        "exports": (
            "arena.exports.tasks.keep_bundle",
            "arena.judging.tasks.check_ledgers",
            "arena.judging.tasks.publish_ledger_heads",
            "leaderboard.tasks.tell_contributors",
        ),
        "mail": ("arena.people.tasks.send_mails",),
    }.items()
    for task in tasks
}
# Soft and hard limit in seconds; an import that is stopped by the soft one says so on its page.
IMPORT_LIMITS = {"soft_time_limit": 2700, "time_limit": 3000}
LONG_LIMITS = {"soft_time_limit": 840, "time_limit": 900}
SWEEP_LIMITS = {"soft_time_limit": 50, "time_limit": 60}

# Seconds between two runs. Every task expires before its next run: a stopped worker comes back to
# one, not to a backlog.
BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    name: {"task": task, "schedule": seconds, "options": {"expires": int(seconds)}}
    for name, (task, seconds) in {
        "seal": ("arena.judging.tasks.seal_ledgers", 3.0),
        "refresh": ("leaderboard.tasks.refresh_boards", 3.0),
        "refresh-over": ("leaderboard.tasks.refresh_boards", 60.0),
        "reliability": ("leaderboard.tasks.refresh_reliabilities", 5.0),
        "reliability-published": ("leaderboard.tasks.refresh_reliabilities", 60.0),
        "cases": ("leaderboard.tasks.refresh_cases", 20.0),
        "advance": ("arena.events.tasks.advance_events", 15.0),
        # Right after an import, too; here what commands import, and the rest of a large import.
        "render": ("arena.events.tasks.render_texts", 15.0),
        "return-seats": ("arena.judging.tasks.return_unused_seats", 60.0),
        "finish-erasures": ("arena.judging.tasks.finish_erasures", 600.0),
        # Right after a message is written, too; here what no broker took, and second tries.
        "mail": ("arena.people.tasks.send_mails", 5.0),
        "forget": ("arena.people.tasks.forget_messages_and_guesses", 600.0),
        "tell": ("leaderboard.tasks.tell_contributors", 60.0),
        "thin": ("leaderboard.tasks.thin_snapshots", 600.0),
        "sweep-uploads": ("arena.events.tasks.sweep_uploads", 3600.0),
        "adopt-imports": ("arena.judging.tasks.adopt_imports", 30.0),
        "sweep": ("arena.judging.tasks.sweep_leases", 60.0),
        "check-ledgers": ("arena.judging.tasks.check_ledgers", 60.0),
        "publish-heads": ("arena.judging.tasks.publish_ledger_heads", 86_400.0),
    }.items()
}
# After the end only reviewers still move a board.
BEAT_SCHEDULE["refresh-over"]["kwargs"] = {"over": True}
BEAT_SCHEDULE["reliability-published"]["kwargs"] = {"published": True}

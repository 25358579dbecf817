"""Which queue each Celery task waits in, so that no kind of work waits behind another.

`ledger` holds sealing alone. `boards` computes. `sweeps` are short: leases, seats, event times. The
processes of the boards take both in turn. `imports` runs what people upload, and renders its texts.
`exports` is for what may take long and nobody watches: bundles, mail, checks of whole ledgers.
"""

QUEUES = ("ledger", "boards", "sweeps", "imports", "exports")

TASK_ROUTES = {
    task: {"queue": queue}
    for queue, tasks in {
        "ledger": ("arena.judging.tasks.seal_ledgers",),
        "boards": (
            "leaderboard.tasks.refresh_boards",
            "leaderboard.tasks.refresh_board",
            "leaderboard.tasks.thin_snapshots",
        ),
        "sweeps": (
            "arena.events.tasks.advance_events",
            "arena.judging.tasks.adopt_imports",
            "arena.judging.tasks.finish_erasures",
            "arena.judging.tasks.return_unused_seats",
            "arena.judging.tasks.sweep_leases",
        ),
        "imports": (
            "arena.events.tasks.run_import",
            "arena.events.tasks.remove_import",
            "arena.events.tasks.finish_import",
            "arena.events.tasks.render_texts",
            "arena.judging.tasks.run_vote_import",
        ),
        "exports": (
            "arena.exports.tasks.keep_bundle",
            "leaderboard.tasks.tell_contributors",
        ),
    }.items()
    for task in tasks
}
# Soft and hard limit in seconds; an import that is stopped by the soft one says so on its page.
IMPORT_LIMITS = {"soft_time_limit": 2700, "time_limit": 3000}
LONG_LIMITS = {"soft_time_limit": 840, "time_limit": 900}
SWEEP_LIMITS = {"soft_time_limit": 50, "time_limit": 60}

"""Serving matchups: the control schedule, the choice of the next matchup, leases. Storing answers
and skips is not here but in `judging.recording` and `judging.skipping`.
"""

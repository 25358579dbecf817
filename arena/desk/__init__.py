"""The organizers' and reviewers' pages: setting an event up, watching over it, reviewing. The rules
that they apply are in `events`, `judging` and `leaderboard`.
"""

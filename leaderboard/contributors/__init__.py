"""From judgments to contributors: reliability, scores, standings and the places people see. Who
won is in `results`, the statistics are in `leaderboard.trust`.
"""

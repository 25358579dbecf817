"""The life of an event: creation, transitions, what is true in each phase, prizes, notes,
duplication. Sealing its result is the leaderboard's.
"""

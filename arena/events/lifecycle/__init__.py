"""The life of an event: creation, transitions, what is true in each phase, what a closed or
published event locks, prizes, notes, duplication. Sealing its result is the leaderboard's.
"""

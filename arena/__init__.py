"""Crowd Arena: crowd-evaluation competitions with an honest leaderboard."""

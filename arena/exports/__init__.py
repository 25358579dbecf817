"""How data leaves: exports of an event's judgments in several formats, and bundles of its boards.

What a JSON API answers is not here, nor are a board's own CSV and JSON (`leaderboard.pages`).
"""

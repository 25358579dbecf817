"""What follows from judgments: ratings, reliability, standings and their pages. All of it can be
deleted and computed again; what people did is in `arena.judging`.
"""

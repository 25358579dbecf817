"""How far a strength can be trusted: covariances, intervals, tests of pairs, ranks, bootstrap. What
would change a board, and what more votes would show, is in `diagnostics`.
"""

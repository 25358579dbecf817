"""What stays: sealed rounds, the published result and its corrections, the confirmed winner.
Boards of a running event are in `snapshots`.
"""

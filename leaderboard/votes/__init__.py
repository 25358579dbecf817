"""From the database to arrays: `VoteLoader` brings the columns on disk (`ColumnStore`) up to the
ledger's head, `Comparisons` is the table that boards read, `Checkpoints` are what was computed from
exactly its rows, and `MatchupContents` what its matchups consist of. Nothing is fitted here.
"""

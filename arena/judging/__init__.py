"""The act of judging: serving matchups, recording answers, what counts, the ledger. Nothing here
knows that there are boards: they come and look.
"""

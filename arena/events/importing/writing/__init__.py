"""Records into the database: batches, staged changes, pairs, style. What comes here has been
checked.
"""

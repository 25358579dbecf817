"""Records into the database: batches, staged changes, pairs. What comes here has been checked."""

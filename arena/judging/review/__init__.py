"""Decisions on what counts: excluding and reinstating. Their pages are in `arena.desk`."""

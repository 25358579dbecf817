"""Decisions on what counts: exclusions and their lifting. Where they show is the desk's affair."""

"""Votes against the event and the rest of the file; what is new is spooled to disk. Nothing is
written to the database here.
"""

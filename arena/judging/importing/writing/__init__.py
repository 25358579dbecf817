"""Checked votes into the database: enrollments, matchups, judgments, and an export's records.
Nothing is found wrong here any more.
"""

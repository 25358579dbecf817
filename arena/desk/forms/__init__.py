"""Forms of the organizers' pages, and the fields they share. What a form's data does is in the
verb modules of `events` and `judging`.
"""

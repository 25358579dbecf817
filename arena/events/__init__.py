"""What is judged: events with their questions, records, responses and matchups, and who takes part.
That somebody judged, and what follows from it, is not known here.
"""

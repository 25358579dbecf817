"""One line of a file into a vote: columns, words, numbers, timestamps, lines of an export. Nothing
here knows what an event holds.
"""

"""What an event registers at its opening, before anybody has judged: its rules, word for word.

Written once with the opening (`writing.py`), with a digest of the controls' keys (`keys.py`); later
changes stand in the record of decisions (`changes.py`), so that anybody can tell what was changed
with a word from what was changed without one (`checking.py`). The page of it is not here.
"""

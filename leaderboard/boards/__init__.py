"""From arrays to a board: the plain fit, the style-controlled fit, diagnostics, the columns of a
row, the wording of "not ranked", and the details that a snapshot keeps beside the rows. Nothing is
read from the database here, and no page is known.
"""

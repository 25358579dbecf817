"""From arrays to a board: the plain fit, the style-controlled fit, diagnostics, and the
details that a snapshot keeps beside its rows. Neither the database nor a page is known here.
"""

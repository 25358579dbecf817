"""From arrays to a board: the plain fit, the fit at equal style, how sure it is, and what a
snapshot keeps beside its rows. Neither the database nor a page is known here.
"""

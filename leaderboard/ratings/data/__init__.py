"""What goes in: votes and rankings as columns, their exact counts, who can be compared with whom,
and the scale people read. Nothing is estimated here.
"""

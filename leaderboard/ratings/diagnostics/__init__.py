"""Questions about a fitted board: what more votes would show, whose votes carry it, how few changed
votes would move it, and what grades are worth. Nothing here enters a rating.
"""

"""Computing an event's boards when something has changed, letting the public see them, and thinning
out old ones. What a number means is in `boards` and `contributors`.
"""

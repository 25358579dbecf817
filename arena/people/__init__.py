"""Who: users, how they sign in, seats made beforehand, limits on attempts, leaving. What somebody
is in an event (enrollment, role) is in `events`.
"""

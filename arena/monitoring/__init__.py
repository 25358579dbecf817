"""Whether the site is well: the addresses that load balancers and Prometheus ask, and what
`manage.py doctor` says. What an event's organizers see of it is in `arena/desk`.
"""

"""Which matchup comes next: the schedule of controls, the choice, leases. What is done with an
answer or a skip is in `judging.recording` and `judging.skipping`.
"""

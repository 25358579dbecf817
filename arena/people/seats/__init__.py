"""Accounts made for an event: provisioning, claiming, the printed sheet. Nothing of events is known
here, and codes themselves are in `people.codes`.
"""

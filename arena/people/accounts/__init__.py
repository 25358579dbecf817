"""Signing in and what belongs to an account: forms, providers, identity, the first account.
Accounts made for an event are in `people.seats`.
"""

"""The site's PostgreSQL backend: Django's, with a health check that costs no trip to the server.

It is named by the settings' `ENGINE`. No query lives here: SQL is beside what runs it.
"""

"""Django's PostgreSQL, with a health check of connections that costs no trip to the server."""

"""Gunicorn in the image; addresses, workers and threads are in the Procfile."""

# Heartbeats are written to a file; in memory they never wait for a disk.
worker_tmp_dir = "/dev/shm"  # noqa: S108 - memory, and gunicorn makes the name itself
# A worker is renewed now and then, not all at once, so that no leak grows for weeks.
max_requests = 20_000
max_requests_jitter = 4_000
# Longer than the proxy keeps idle connections open, so that it never meets a closed one.
keepalive = 150
# A worker silent for so long is replaced; on SIGTERM requests in hand get so long to end.
timeout = 60
graceful_timeout = 25
# Addresses and paths of visitors are logged nowhere; errors go to standard error.
accesslog = None
errorlog = "-"

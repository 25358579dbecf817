"""What gunicorn serves where its workers are killed; never deployed.

It forks after a page was served: all that a first request imports and compiles is there, and the
next worker is at work at once.
"""

import os

from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test import Client

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.failpoint_settings"

application = get_wsgi_application()
client = Client(headers={"host": "127.0.0.1"})
client.cookies["sessionid"] = os.environ["BENCH_SESSION"]
client.get(os.environ["BENCH_PAGE"], follow=True)
connections.close_all()  # a connection belongs to one process

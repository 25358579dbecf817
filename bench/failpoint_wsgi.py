"""What gunicorn serves where its workers are killed: all that a first request would import and
compile is there before it forks, so that the next worker is at work at once; never deployed."""

import os

from django.core.wsgi import get_wsgi_application
from django.template.loader import get_template
from django.urls import get_resolver

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.failpoint_settings"

application = get_wsgi_application()
len(get_resolver().url_patterns)
for template in ("judging/judge.html", "judging/_matchup.html", "judging/_reason_dialogs.html"):
    get_template(template)

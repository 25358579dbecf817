"""The one settings file. Everything that differs between machines comes from the environment.

Knobs of the domain (overlap, scale, control rate) are fields of an Event and not here.
"""

import os
from pathlib import Path

import environ
import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from kombu.entity import Queue

from arena.address import find_site_address
from arena.files.choosing import choose_storages
from arena.logs import SHARED_PROCESSORS, build_logging, log_outcries
from arena.people.accounts import form_paths
from arena.people.accounts.providers import (
    CLIENT_SECRETS,
    build_social_providers,
    list_form_targets,
)
from arena.queues import BEAT_SCHEDULE, QUEUES, TASK_ROUTES
from arena.replica import list_databases
from arena.secret_files import SECRETS, choose_secret_key, read_secret_files

env = environ.Env()
ROOT = Path(__file__).resolve().parent.parent
if (ROOT / ".env").exists():
    environ.Env.read_env(ROOT / ".env")
env.ENVIRON = read_secret_files(os.environ, [*SECRETS, *CLIENT_SECRETS])

VAR = Path(env.str("ARENA_VAR", str(ROOT / "var")))
VAR.mkdir(parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = choose_secret_key(
    env.str("SECRET_KEY", ""), debug=DEBUG, signs_nothing=env.bool("SIGNS_NOTHING", False)
)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

# HTTPS=0 serves plain HTTP on one's own machine without turning DEBUG on.
HTTPS = env.bool("HTTPS", not DEBUG)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)
# Where people find this site: printed on seat sheets, which no request is there to tell.
ADDRESS = find_site_address(env, VAR, ALLOWED_HOSTS, is_https=HTTPS)
SITE_URL = ADDRESS.url

INSTALLED_APPS = [
    "arena.people.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.github",
    "allauth.socialaccount.providers.google",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "django_htmx",
    "arena.files",
    "arena.postgresql",
    "arena.people",
    "arena.events",
    "arena.judging",
    "arena.exports",
    "arena.desk",
    "arena.monitoring",
    "leaderboard",
]

MIDDLEWARE = [
    "arena.request_id.RequestIdMiddleware",
    "arena.monitoring.probes.ProbeMiddleware",
    "arena.metrics.RequestMetricsMiddleware",
    "arena.request_deadline.RequestDeadlineMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "arena.middleware.StaticFileMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "arena.middleware.BodyMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "arena.middleware.LimitMiddleware",
    "arena.middleware.ArenaErrorMiddleware",
    "arena.database_limits.DatabaseLimitMiddleware",
]

ROOT_URLCONF = "arena.urls"
WSGI_APPLICATION = "arena.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
            "libraries": {"arena": "arena.templatetags.arena"},
        },
    },
]

# --- data -----------------------------------------------------------------------------------
DATABASE = env.db_url("DATABASE_URL", f"sqlite:///{VAR / 'arena.sqlite3'}")
if DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    # Writers queue at BEGIN instead of failing half-way, and readers never wait for them. What is
    # committed survives a power cut. What is deleted is overwritten.
    synchronous = env.str("SQLITE_SYNCHRONOUS", "FULL")
    if synchronous not in ("FULL", "NORMAL", "OFF"):
        raise ImproperlyConfigured("SQLITE_SYNCHRONOUS is FULL, NORMAL or OFF.")
    DATABASE["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": f"PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous};"
        "PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON;",
    }
else:
    DATABASE["ENGINE"] = "arena.postgresql"
    DATABASE["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", 60)
    DATABASE["CONN_HEALTH_CHECKS"] = True
    DATABASE.setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
    # The few statements that every judgment runs are planned once for each connection; not where
    # PgBouncer hands connections round by transaction.
    if env.bool("PREPARED_STATEMENTS", True):
        DATABASE["OPTIONS"]["prepare_threshold"] = 0
# A copy of it that public boards are read from; none where it is empty.
REPLICA = env.db_url("DATABASE_REPLICA_URL") if env.str("DATABASE_REPLICA_URL", "") else None
DATABASES = list_databases(DATABASE, REPLICA)
DATABASE_ROUTERS = ["arena.replica.ReplicaRouter"] if REPLICA else []
# On PostgreSQL, in the transactions of a page: the longest statement, and the longest wait for a
# lock.
STATEMENT_TIMEOUT_MS = env.int("STATEMENT_TIMEOUT_MS", 5_000)
LOCK_TIMEOUT_MS = env.int("LOCK_TIMEOUT_MS", 2_000)
# Of this machine: what one of them counts by itself while the shared cache is away is its share.
WEB_WORKERS = env.int("WEB_WORKERS", 2)
# Processor time of one request; gunicorn's worker ends with a request that takes more.
REQUEST_PROCESSOR_SECONDS = env.float("REQUEST_PROCESSOR_SECONDS", 20.0)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", "")
# What every key of this site in Redis begins with: several sites may share one.
REDIS_PREFIX = env.str("REDIS_PREFIX", "arena-")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "arena.cache.GuardedRedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": f"{REDIS_PREFIX}cache",
        }
    }
else:
    # Shared by all processes of the machine: rate limits must not be per process.
    CACHES = {
        "default": {
            "BACKEND": "arena.cache.GuardedFileCache",
            "LOCATION": VAR / "cache",
            "OPTIONS": {"MAX_ENTRIES": 50_000},
        }
    }

# Who may create events: anybody with an account; staff and whom they gave the permission to; or
# those and whoever organizes an event already, which is how organizers invite further ones.
EVENT_CREATORS = env.str("EVENT_CREATORS", "anybody")
if EVENT_CREATORS not in ("anybody", "staff", "invited"):
    raise ImproperlyConfigured("EVENT_CREATORS is anybody, staff or invited.")

# --- people ---------------------------------------------------------------------------------
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "arena.people.hashers.AccessCodeHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_REDIRECT_URL = "home"
LOGIN_URL = "account_login"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "arena.people.accounts.adapter.AccountAdapter"
MFA_ADAPTER = "arena.people.accounts.adapter.SecondStepAdapter"
SOCIALACCOUNT_ADAPTER = "arena.people.accounts.adapter.SocialAccountAdapter"
ACCOUNT_FORMS = form_paths.ACCOUNT_FORMS
MFA_FORMS = form_paths.MFA_FORMS
SOCIALACCOUNT_FORMS = form_paths.SOCIALACCOUNT_FORMS
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60  # a mail server may want a second try first
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Crowd Arena] "
# "ip" is a whole network (people/accounts/adapter.py): a lecture hall signs in within a minute.
# Guesses at one name are counted in people/guesses.py, and messages to one address.
ACCOUNT_RATE_LIMITS = {
    "login": "600/m/ip",
    "login_failed": "60/m/ip",
    "signup": "60/m/ip",
    "request_login_code": "60/m/ip",
    "reset_password": "60/m/ip",
    "confirm_email": None,
}
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
# Nothing but the form's button starts a social sign-in, and tokens are not kept.
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = build_social_providers(env)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]

# Origins whose pages may show this site in a frame; nobody's where it is empty. Browsers send
# such a frame only cookies that are its own for each of these sites (arena/framing.py).
FRAME_ANCESTORS = env.list("FRAME_ANCESTORS", default=[])
if FRAME_ANCESTORS and not HTTPS:
    raise ImproperlyConfigured("FRAME_ANCESTORS needs HTTPS=1: a frame gets no cookies without.")
SAMESITE = "None" if FRAME_ANCESTORS else "Lax"
if FRAME_ANCESTORS:
    MIDDLEWARE.insert(0, "arena.framing.PartitionedCookieMiddleware")
    # It knows no list of origins; the content security policy does.
    MIDDLEWARE.remove("django.middleware.clickjacking.XFrameOptionsMiddleware")

SESSION_ENGINE = "arena.people.accounts.sessions"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = SAMESITE
SESSION_COOKIE_SECURE = HTTPS
# Scripts take the token from the page.
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = SAMESITE
LANGUAGE_COOKIE_SAMESITE = SAMESITE
CSRF_COOKIE_SECURE = HTTPS

# --- mail -----------------------------------------------------------------------------------
# Messages are rows until a worker has sent them (arena/people/outbox.py) by OUTBOX_BACKEND.
EMAIL_TIMEOUT = 10  # seconds for each step of the conversation with the mail server
if env.str("EMAIL_URL", ""):
    vars().update(env.email_url("EMAIL_URL"))
    OUTBOX_BACKEND = vars()["EMAIL_BACKEND"]
    EMAIL_BACKEND = "arena.people.outbox.OutboxBackend"
else:
    # MAIL_BY_WORKER: another process has EMAIL_URL, and with it the mail server's password.
    module = "people.outbox.Outbox" if env.bool("MAIL_BY_WORKER", False) else "mail.Terminal"
    OUTBOX_BACKEND, EMAIL_BACKEND = "", f"arena.{module}Backend"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Crowd Arena <noreply@localhost>")
# Where the heads of ledgers go once a day, out of reach of whoever can change the database.
LEDGER_HEADS_MAIL = env.list("LEDGER_HEADS_MAIL", default=[])
LEDGER_HEADS_URL = env.str("LEDGER_HEADS_URL", "")
if LEDGER_HEADS_URL and not LEDGER_HEADS_URL.startswith(("https://", "http://")):
    raise ImproperlyConfigured("LEDGER_HEADS_URL must begin with https:// or http://")

# --- security -------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
# Browsers that ship with a list of names keep one on it for years: only on request.
SECURE_HSTS_PRELOAD = HTTPS and env.bool("HSTS_PRELOAD", False)
SILENCED_SYSTEM_CHECKS = [] if SECURE_HSTS_PRELOAD else ["security.W021"]
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Whoever shows it may read /metrics; without one the page is not there.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
if 0 < len(METRICS_TOKEN) < 16:
    raise ImproperlyConfigured("METRICS_TOKEN: take 16 random characters or more.")
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF, *list_form_targets(env)],
        "base-uri": [NONE],
        "frame-ancestors": FRAME_ANCESTORS or [NONE],
        "object-src": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# Uploads while they arrive; what a killed process has left there is swept.
FILE_UPLOAD_TEMP_DIR = VAR / "tmp"
FILE_UPLOAD_TEMP_DIR.mkdir(exist_ok=True)
# By each process: half of gunicorn's threads (gunicorn.conf.py).
UPLOADS_AT_ONCE = max(1, env.int("WEB_THREADS", 4) // 2)

# --- language and time ----------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = True
LOCALE_PATHS = [ROOT / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# --- static files ---------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [ROOT / "arena" / "static"]
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(VAR / "static")))
MANIFEST = "whitenoise.storage.CompressedManifestStaticFilesStorage"
PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"
# Uploads and the bundles of rounds (arena/files); MEDIA_ROOT is where they are on this machine.
MEDIA_ROOT = VAR / "uploads"
STORAGES = {
    "staticfiles": {"BACKEND": PLAIN if DEBUG else MANIFEST},
    **choose_storages(env.str("FILES_URL", "")),
}

# --- Celery ---------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost/"
if REDIS_URL:
    # Unacknowledged tasks come back after the longest task could have ended.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 3600,
        "unacked_restore_interval": 30,
        # Whoever sends a task waits for no broker (arena/celery.py).
        "socket_connect_timeout": 2,
        "max_retries": 1,
        "interval_start": 0,
        "global_keyprefix": REDIS_PREFIX,
    }
else:
    CELERY_BROKER_TRANSPORT = "arena.broker:Transport"
    BROKER = VAR / "broker"
    for folder in ("queue", "processed", "control"):
        (BROKER / folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER / "queue"),
        "data_folder_out": str(BROKER / "queue"),
        "processed_folder": str(BROKER / "processed"),
        "control_folder": str(BROKER / "control"),
        "store_processed": False,
    }
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_RESULT_ACCEPT_CONTENT = ["json"]
# Five kinds of work, each with processes of its own (Procfile), so that none waits for another;
# the sweeps, of milliseconds each, go to whichever process of the boards is free. A worker that is
# given no queue takes all of them. Every task is named here: a test holds the two together.
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in QUEUES]  # type: ignore[no-untyped-call]
CELERY_TASK_DEFAULT_QUEUE = "boards"
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_ROUTES = TASK_ROUTES
# Limits of tasks that have none of their own; all are below the broker's visibility timeout.
CELERY_TASK_SOFT_TIME_LIMIT = 100
CELERY_TASK_TIME_LIMIT = 120
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever
CELERY_BROKER_CHANNEL_ERROR_RETRY = True  # a Redis that ends or starts answers with errors, too
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Beat leaves a sign of life each second (arena/beat.py).
CELERY_BEAT_SCHEDULER = "arena.beat:SignalingScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "beat-schedule")
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE

# --- logs -----------------------------------------------------------------------------------
LOG_JSON = env.bool("LOG_JSON", not DEBUG)
LOGGING = build_logging(
    env.str("LOG_LEVEL", "INFO"), env.str("LOG_LEVEL", "WARNING"), as_json=LOG_JSON
)
structlog.configure(
    processors=[*SHARED_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
if LOG_JSON:
    log_outcries()

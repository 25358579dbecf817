"""The app of the site's health."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Brings the command `doctor`; it has no tables."""

    name = "arena.monitoring"

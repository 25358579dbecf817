from django.apps import AppConfig


class JudgingConfig(AppConfig):
    name = "arena.judging"
    label = "judging"

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "arena.desk"
    label = "desk"

from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "arena.files"
    label = "files"

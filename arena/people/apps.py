from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig


class PeopleConfig(AppConfig):
    name = "arena.people"
    label = "people"
    default = True


class StaffAdminConfig(SimpleAdminConfig):
    """Makes `StaffSite` the admin's site."""

    default_site = "arena.people.staff.StaffSite"

    def ready(self) -> None:
        super().ready()
        self.module.autodiscover()  # type: ignore[union-attr] # django.contrib.admin has it

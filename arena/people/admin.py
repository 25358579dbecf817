"""Accounts and seats in the admin. Codes and links are not there: only their hashes exist."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from arena.people.models import Seat, SeatPool, User


@admin.register(User)
class ArenaUserAdmin(UserAdmin):
    """Accounts, with the name they chose for boards."""

    list_display = ("username", "display_name", "is_staff", "is_active", "last_login")
    fieldsets = (*(UserAdmin.fieldsets or ()), ("Boards", {"fields": ("display_name",)}))


@admin.register(SeatPool)
class SeatPoolAdmin(admin.ModelAdmin):
    """The seats of an event, and how many of them one network may claim a day."""

    list_display = ("name", "claims_per_network")
    search_fields = ("name",)


@admin.register(Seat)
class SeatAdmin(admin.ModelAdmin):
    """Seats to look at; they are made, claimed and reissued by their own doors."""

    list_display = ("user", "pool", "kind", "claimed_at", "saved_at", "returns")
    list_filter = ("kind", "pool")
    list_select_related = ("user", "pool")
    search_fields = ("user__username",)
    exclude = ("link_hash",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Seat | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Seat | None = None) -> bool:
        return False

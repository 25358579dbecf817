"""All URLs. Nouns, lower case, slugs or UUIDs."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("arena.events.urls")),
    path("account/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]

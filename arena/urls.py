"""All URLs. Nouns, lower case, slugs or UUIDs."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from arena import views
from arena.outages import handle_bad_request, handle_server_error

event_urls: list[URLPattern | URLResolver] = [
    path("events/<slug:slug>/", views.event_page, name="event"),
    path(
        "events/<slug:slug>/registration/",
        views.registration,
        name="registration",
    ),
    path(
        "events/<slug:slug>/registration.json",
        views.registration_json,
        name="registration_json",
    ),
    path("", include("arena.events.urls")),
    path("", include("arena.events.joining.urls")),
]

judging_urls: list[URLPattern | URLResolver] = [
    path("events/<slug:slug>/me/", views.my_page, name="me"),
    path("events/<slug:slug>/me/appeal/", views.appeal, name="appeal"),
    path("", include("arena.judging.urls")),
]

handler400 = handle_bad_request
handler500 = handle_server_error

urlpatterns = [
    path("", views.home, name="home"),
    path("", include((event_urls, "events"))),
    path("", include("arena.events.importing.urls")),
    path("", include("arena.judging.importing.urls")),
    path("", include((judging_urls, "judging"))),
    path("", include("leaderboard.urls")),
    path("", include("arena.exports.urls")),
    path("", include("arena.desk.urls")),
    path("account/", include("arena.people.urls")),
    path("account/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]

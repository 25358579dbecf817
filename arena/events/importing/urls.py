"""URLs of importing, under the namespace "imports"."""

from django.urls import path

from arena.events.importing import views

app_name = "imports"
urlpatterns = [
    path("events/<slug:slug>/import/", views.new, name="new"),
    path("events/<slug:slug>/import/<uuid:uuid>/", views.job, name="job"),
    path("events/<slug:slug>/import/<uuid:uuid>/discard/", views.discard, name="discard"),
    path(
        "events/<slug:slug>/import/<uuid:uuid>/take-back/",
        views.take_back_import,
        name="take_back",
    ),
]

"""URLs of importing, under the namespace "imports"."""

from django.urls import path

from arena.events import import_views

app_name = "imports"
urlpatterns = [
    path("events/<slug:slug>/import/", import_views.new, name="new"),
    path("events/<slug:slug>/import/<uuid:uuid>/", import_views.job, name="job"),
    path("events/<slug:slug>/import/<uuid:uuid>/discard/", import_views.discard, name="discard"),
    path(
        "events/<slug:slug>/import/<uuid:uuid>/take-back/",
        import_views.take_back_import,
        name="take_back",
    ),
]

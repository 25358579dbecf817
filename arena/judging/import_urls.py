"""URLs of importing votes, under the namespace "votes"."""

from django.urls import path

from arena.judging import import_views

app_name = "votes"
urlpatterns = [
    path("events/<slug:slug>/import/votes/", import_views.new, name="new"),
    path("events/<slug:slug>/import/votes/<uuid:uuid>/", import_views.job, name="job"),
]

"""URLs of importing votes, under the namespace "votes"."""

from django.urls import path

from arena.judging.importing import views

app_name = "votes"
urlpatterns = [
    path("events/<slug:slug>/import/votes/", views.upload_votes, name="new"),
    path("events/<slug:slug>/import/votes/<uuid:uuid>/", views.vote_import, name="job"),
]

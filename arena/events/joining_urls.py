from django.urls import path

from arena.events import joining_views

# Included under the namespace "events" in arena/urls.py.
urlpatterns = [
    path("events/<slug:slug>/join/", joining_views.join, name="join"),
    path("seats/<str:token>/", joining_views.claim, name="claim"),
]

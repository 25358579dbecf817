from django.urls import path

from arena.events import views

# Included under the namespace "events" in arena/urls.py, beside the event page itself.
urlpatterns = [
    path("events/<slug:slug>/guidelines/", views.guidelines, name="guidelines"),
]

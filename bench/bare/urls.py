"""The addresses of the bare pair."""

from django.urls import path

from bench.bare import views

urlpatterns = [
    path("next/", views.show_next, name="next"),
    path("pairs/<int:pair_id>/", views.answer, name="answer"),
]

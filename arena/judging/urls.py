from django.urls import path

from arena.judging import views
from arena.judging.leaving import views as leaving
from arena.judging.review import views as review

# Included under the namespace "judging" in arena/urls.py, beside "my judgments".
urlpatterns = [
    path("events/<slug:slug>/judge/", views.next_matchup, name="next"),
    path("events/<slug:slug>/judge/warning/", review.warning, name="warning"),
    path("judge/<uuid:uuid>/", views.judge, name="judge"),
    path("judge/<uuid:uuid>/skip/", views.skip, name="skip"),
    path("judge/<uuid:uuid>/flag/", views.flag, name="flag"),
    path("judge/<uuid:uuid>/undo/", views.undo, name="undo"),
    path("account/leave/", leaving.leave, name="leave"),
]

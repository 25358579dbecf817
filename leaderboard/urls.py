from django.urls import path

from leaderboard.pages import views

app_name = "leaderboard"
urlpatterns = [
    path("events/<slug:slug>/leaderboard/", views.board, name="board"),
    path("events/<slug:slug>/leaderboard/latest/", views.latest, name="latest"),
    path("events/<slug:slug>/leaderboard.csv", views.board_csv, name="board_csv"),
    path("events/<slug:slug>/leaderboard.json", views.board_json, name="board_json"),
    path("events/<slug:slug>/contributors/", views.contributors, name="contributors"),
    path("events/<slug:slug>/winner/", views.winner, name="winner"),
    path("events/<slug:slug>/exclusions/", views.exclusions, name="exclusions"),
    path("events/<slug:slug>/exclusions.json", views.exclusions_json, name="exclusions_json"),
    path("account/notices/", views.read_notice, name="read"),
    path("events/<slug:slug>/method/", views.method, name="method"),
]

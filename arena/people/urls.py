from django.urls import path

from arena.people import first_account_views, views

app_name = "people"
urlpatterns = [
    path("first/<str:token>/", first_account_views.first, name="first"),
    path("seat/", views.seat, name="seat"),
    path("seat/saved/", views.saved, name="saved"),
    path("seat/code/", views.code, name="code"),
]

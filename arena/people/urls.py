from django.urls import path

from arena.people import views

app_name = "people"
urlpatterns = [
    path("seat/", views.seat, name="seat"),
    path("seat/saved/", views.saved, name="saved"),
    path("seat/code/", views.code, name="code"),
    path("seat/name/", views.name, name="name"),
]

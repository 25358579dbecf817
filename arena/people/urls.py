from django.urls import path

from arena.people import views
from arena.people.accounts import views as accounts

app_name = "people"
urlpatterns = [
    path("first/<str:token>/", accounts.first, name="first"),
    path("seat/", views.seat, name="seat"),
    path("seat/saved/", views.saved, name="saved"),
    path("seat/code/", views.code, name="code"),
]

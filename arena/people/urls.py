from django.urls import path

from arena.people import views
from arena.people.accounts import views as accounts

app_name = "people"
urlpatterns = [
    path("first/<str:token>/", accounts.first_account, name="first"),
    path("seat/", views.account, name="seat"),
    path("seat/saved/", views.mark_code_saved, name="saved"),
    path("seat/code/", views.access_code, name="code"),
]

from django.urls import path

from arena.exports import views

app_name = "exports"
urlpatterns = [
    path("events/<slug:slug>/exports/", views.downloads, name="downloads"),
    path("events/<slug:slug>/exports/<slug:export>.features.json", views.features, name="features"),
    path("events/<slug:slug>/exports/<str:file>", views.export, name="export"),
    path("events/<slug:slug>/rounds/<path:name>/bundle.zip", views.bundle, name="bundle"),
]

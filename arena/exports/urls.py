from django.urls import path

from arena.exports import views

app_name = "exports"
urlpatterns = [
    path("events/<slug:slug>/exports/", views.downloads, name="downloads"),
    path("events/<slug:slug>/exports/judgments.jsonl", views.judgments, name="judgments"),
    path(
        "events/<slug:slug>/exports/judgments.features.json",
        views.judgments_features,
        name="judgments_features",
    ),
    path(
        "events/<slug:slug>/exports/pairs.features.json",
        views.pairs_features,
        name="pairs_features",
    ),
    path("events/<slug:slug>/exports/pairs.jsonl", views.pairs, name="pairs"),
    path("events/<slug:slug>/rounds/<path:name>/bundle.zip", views.bundle, name="bundle"),
]

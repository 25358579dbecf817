from django.urls import path

from arena.events import inviting_views, joining_views, naming_views

# Included under the namespace "events" in arena/urls.py.
urlpatterns = [
    path("account/seat/name/", naming_views.name, name="name"),
    path("events/<slug:slug>/join/", joining_views.join, name="join"),
    path("seats/<str:token>/", joining_views.claim, name="claim"),
    path("invitations/<str:token>/", inviting_views.invitation, name="invitation"),
    path("events/<slug:slug>/people/", inviting_views.people, name="people"),
    path("events/<slug:slug>/people/remove/", inviting_views.remove, name="remove"),
    path(
        "events/<slug:slug>/people/invitations/<uuid:uuid>/",
        inviting_views.withdraw,
        name="withdraw",
    ),
    path(
        "events/<slug:slug>/people/applications/<uuid:uuid>/",
        inviting_views.application,
        name="application",
    ),
]

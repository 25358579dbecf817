from django.urls import path

from arena.events.joining.views import invitations, joining, names, waiting

# Included under the namespace "events" in arena/urls.py.
urlpatterns = [
    path("account/seat/name/", names.name, name="name"),
    path("events/<slug:slug>/join/", joining.join, name="join"),
    path("events/<slug:slug>/line/", waiting.line, name="line"),
    path("seats/<str:token>/", joining.claim, name="claim"),
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
    path("events/<slug:slug>/people/", invitations.people, name="people"),
    path("events/<slug:slug>/people/remove/", invitations.remove, name="remove"),
    path(
        "events/<slug:slug>/people/invitations/<uuid:uuid>/",
        invitations.withdraw,
        name="withdraw",
    ),
    path(
        "events/<slug:slug>/people/applications/<uuid:uuid>/",
        invitations.application,
        name="application",
    ),
]

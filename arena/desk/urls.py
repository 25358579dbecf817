from django.urls import path

from arena.desk.views import (
    comments,
    contributors,
    control_pool,
    decisions,
    flags,
    overview,
    preview,
    proposals,
    records,
    review,
    setup,
    winner,
)

app_name = "desk"
urlpatterns = [
    path("new/", setup.new, name="new"),
    path("events/<slug:slug>/desk/", overview.overview, name="overview"),
    path("events/<slug:slug>/desk/state/", overview.state, name="state"),
    path("events/<slug:slug>/desk/event/", setup.event, name="event"),
    path("events/<slug:slug>/desk/duplicate/", setup.duplicate, name="duplicate"),
    path("events/<slug:slug>/desk/terms/", setup.terms, name="terms"),
    path("events/<slug:slug>/desk/questions/", setup.questions, name="questions"),
    path("events/<slug:slug>/desk/preview/", preview.preview, name="preview"),
    path("events/<slug:slug>/desk/controls/", control_pool.controls, name="controls"),
    path("events/<slug:slug>/desk/controls/anchors/", control_pool.anchors, name="anchors"),
    path("events/<slug:slug>/desk/controls/ties/", control_pool.ties, name="ties"),
    path("events/<slug:slug>/desk/seats/", setup.seats, name="seats"),
    path("events/<slug:slug>/desk/seats/printed/", setup.print_seats, name="print_seats"),
    path("events/<slug:slug>/desk/seats/reissue/", setup.reissue, name="reissue"),
    path("events/<slug:slug>/desk/seats/one/", setup.reissue_seat, name="reissue_seat"),
    path("events/<slug:slug>/desk/records/", records.records, name="records"),
    path(
        "events/<slug:slug>/desk/records/<path:external_id>/matchup/",
        records.matchup,
        name="matchup",
    ),
    path(
        "events/<slug:slug>/desk/records/<path:external_id>/correct/",
        records.correct,
        name="correct",
    ),
    path("events/<slug:slug>/desk/records/<path:external_id>/", records.record, name="record"),
    path("events/<slug:slug>/desk/flags/", flags.flags, name="flags"),
    path("events/<slug:slug>/desk/comments/", comments.comments, name="comments"),
    path("events/<slug:slug>/desk/review/", review.queue, name="review"),
    path("events/<slug:slug>/desk/review/<uuid:uuid>/", review.case, name="case"),
    path(
        "events/<slug:slug>/desk/review/proposals/<uuid:uuid>/",
        proposals.proposal,
        name="proposal",
    ),
    path("events/<slug:slug>/desk/decisions/", decisions.decisions, name="decisions"),
    path("events/<slug:slug>/desk/contributors/", contributors.contributors, name="contributors"),
    path(
        "events/<slug:slug>/desk/contributors.csv",
        contributors.contributors_csv,
        name="contributors_csv",
    ),
    path(
        "events/<slug:slug>/desk/contributors/<uuid:public_id>/",
        contributors.contributor,
        name="contributor",
    ),
    path("events/<slug:slug>/desk/winner/", winner.winner, name="winner"),
]

from django.apps import AppConfig


class LeaderboardConfig(AppConfig):
    name = "leaderboard"
    label = "leaderboard"
    # What events register of how results are computed: see arena/events/lifecycle/registration.
    method_description = "leaderboard.snapshots.registered_method.describe_method"

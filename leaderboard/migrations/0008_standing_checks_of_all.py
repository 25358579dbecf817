# The same of the standings that were there before.

from django.db import migrations

from arena.postgresql.operations import ValidateCheck


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('leaderboard', '0007_standing_checks'),
    ]

    operations = [
        ValidateCheck('standing', 'standing_scored_has_quality'),
        ValidateCheck('standing', 'standing_placed_has_band'),
    ]

# What a standing with a score, or a place, has besides.

from django.db import migrations, models

from arena.postgresql.operations import AddCheckNotValid


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('leaderboard', '0006_reliability'),
    ]

    operations = [
        AddCheckNotValid(
            'standing',
            models.CheckConstraint(
                condition=models.Q(quality=None, score=None)
                | models.Q(quality__isnull=False, score__isnull=False),
                name='standing_scored_has_quality',
            ),
        ),
        AddCheckNotValid(
            'standing',
            models.CheckConstraint(
                condition=models.Q(rank=None, band=None)
                | models.Q(rank=None, band=1)
                | models.Q(rank__gte=1, band__isnull=False, band__gte=1, band__lte=5),
                name='standing_placed_has_band',
            ),
        ),
    ]

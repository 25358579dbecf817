# What counts towards a contributor's score in a day, and whether anybody is excluded without asking.

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0018_control_index'),
    ]

    operations = [
        migrations.AddField(
            model_name='event',
            name='daily_cap',
            field=models.PositiveSmallIntegerField(
                db_default=400,
                default=400,
                validators=[django.core.validators.MinValueValidator(1)],
            ),
        ),
        migrations.AddField(
            model_name='event',
            name='excludes_automatically',
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]

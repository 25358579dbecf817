from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0005_promises_and_keys'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='matchup',
            index=models.Index(condition=models.Q(('role', 'ordinary'), _negated=True), fields=['event', 'id'], name='matchup_special'),
        ),
    ]

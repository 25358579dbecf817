from django.db import migrations, models
from django.db.models import F


def keep_promises(apps, schema_editor):
    """Rules that only repeat the event's prize are that prize."""
    Terms = apps.get_model("events", "Terms")
    same = Terms.objects.filter(prize_rules=F("event__prize")).exclude(prize_rules="")
    same.update(prize=F("prize_rules"), prize_rules="")


def repeat_promises(apps, schema_editor):
    """The inverse."""
    Terms = apps.get_model("events", "Terms")
    Terms.objects.filter(prize_rules="").update(prize_rules=F("prize"))


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0004_notes'),
    ]

    operations = [
        migrations.AddField(
            model_name='control',
            name='retired_because',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='terms',
            name='prize',
            field=models.TextField(blank=True),
        ),
        migrations.RunPython(keep_promises, repeat_promises),
    ]

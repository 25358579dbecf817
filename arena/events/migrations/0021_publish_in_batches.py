from django.db import migrations, models
from django.db.models import Case, Exists, OuterRef, Q, Value, When

from arena.postgresql.operations import RunInBatches

ROWS_PER_BATCH = 100
SMALLEST, WITH_PRIZE = 20, 100


def set_batches(apps, schema_editor):
    """Give running events with controls, and drafts, batches in place of live boards."""
    Event, Control = (apps.get_model("events", name) for name in ("Event", "Control"))
    keys = Control.objects.filter(matchup__event=OuterRef("pk"), retired_at=None)
    hides = Q(state="draft") | Q(Exists(keys), state__in=("open", "frozen"))
    small = Q(prize="", publish_batch__lt=SMALLEST) | ~Q(prize="") & Q(publish_batch__lt=WITH_PRIZE)
    some = list(Event.objects.filter(hides, small).values_list("pk", flat=True)[:ROWS_PER_BATCH])
    batch = Case(When(prize="", then=Value(SMALLEST)), default=Value(WITH_PRIZE))
    Event.objects.filter(pk__in=some).update(publish_batch=batch, batch_is_new=True)
    return len(some)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("events", "0020_anchor_index")]

    operations = [
        migrations.AddField(
            model_name="event",
            name="batch_is_new",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AlterField(
            model_name="event",
            name="publish_batch",
            field=models.PositiveSmallIntegerField(default=20),
        ),
        RunInBatches(set_batches, migrations.RunPython.noop),
    ]

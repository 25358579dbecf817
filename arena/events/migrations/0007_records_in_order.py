from django.db import migrations, models

from arena.events.ordering import natural_key

BATCH = 1_000


def put_in_order(apps, schema_editor):
    """Give every record there is its key."""
    Record = apps.get_model("events", "Record")
    last = 0
    while batch := list(Record.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
        for record in batch:
            record.sort_key = natural_key(record.external_id)
        Record.objects.bulk_update(batch, ["sort_key"])
        last = batch[-1].pk


class Migration(migrations.Migration):
    dependencies = [("events", "0006_special_matchups")]

    operations = [
        migrations.AddField(
            model_name="record",
            name="sort_key",
            field=models.CharField(db_default="", default="", editable=False, max_length=500),
        ),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(fields=["event", "sort_key"], name="record_in_order"),
        ),
        migrations.RunPython(put_in_order, migrations.RunPython.noop),
    ]

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Max


def begin_chains(apps, schema_editor):
    """Ask the sealing task to enter what was sealed before there were entries.

    An entry of kind "start" waits until it has; what was not there at this moment is not entered.
    """
    entries = apps.get_model("events", "LedgerEntry").objects
    batches = apps.get_model("judging", "LedgerBatch").objects
    heads = batches.order_by("event_id").values_list("event_id").annotate(head=Max("last_seq"))
    entries.bulk_create(
        entries.model(event_id=event, kind="start", subject=event, content={"entered": head})
        for event, head in heads
    )


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0016_ledger_entries"),
        ("judging", "0005_live_assignments"),
    ]

    operations = [
        migrations.AddField(
            model_name="ledgerbatch",
            name="row_digests",
            field=models.BinaryField(null=True),
        ),
        migrations.CreateModel(
            name="LedgerCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveBigIntegerField(default=0)),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("pass_began_at", models.DateTimeField()),
                ("looked_at", models.DateTimeField()),
                ("verified_at", models.DateTimeField(null=True)),
                ("verified_head", models.CharField(blank=True, max_length=64)),
                ("failed_at", models.DateTimeField(null=True)),
                ("failure", models.TextField(blank=True)),
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ledger_check",
                        to="events.event",
                    ),
                ),
            ],
        ),
        migrations.RunPython(begin_chains, migrations.RunPython.noop),
    ]

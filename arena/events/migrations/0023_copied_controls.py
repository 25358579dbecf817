import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("events", "0022_behaviour_and_assistance")]

    operations = [
        migrations.AddField(
            model_name="control",
            name="copied_from",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="copies",
                db_index=False,
                to="events.control",
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("events", "0024_decisions")]

    operations = [
        migrations.AddField(
            model_name="event",
            name="published_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("people", "0004_setup_link"),
    ]

    operations = [
        migrations.CreateModel(
            name="WaitingPlace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("joined_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("offered_until", models.DateTimeField(null=True)),
                ("pool", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="waiting", to="people.seatpool")),
            ],
        ),
    ]

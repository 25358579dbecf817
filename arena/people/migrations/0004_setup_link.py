from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("people", "0003_seat_unsaved_index"),
    ]

    operations = [
        migrations.CreateModel(
            name="SetupLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField()),
            ],
        ),
    ]

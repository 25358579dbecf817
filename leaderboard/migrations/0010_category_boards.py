import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("events", "0020_anchor_index"),
        ("leaderboard", "0009_exposure"),
    ]

    operations = [
        migrations.CreateModel(
            name="CategoryBoard",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("category", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="board", to="events.category")),
                ("snapshot", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="category_boards", to="leaderboard.snapshot")),
            ],
        ),
    ]

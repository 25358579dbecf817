from typing import ClassVar

from django.db import migrations, models

from arena.postgresql.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [
        ("events", "0019_score_and_exclusion_rules"),
    ]

    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="matchup",
            index=models.Index(
                condition=models.Q(("retired_at", None), ("role", "anchor")),
                fields=["event", "shuffle"],
                name="matchup_anchor",
            ),
        ),
    ]

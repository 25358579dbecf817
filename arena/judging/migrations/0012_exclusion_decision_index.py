from typing import ClassVar

from django.db import migrations, models

from arena.postgresql.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [
        ("judging", "0011_appeals_and_warnings"),
    ]

    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="exclusion",
            index=models.Index(fields=["decision"], name="exclusion_decision"),
        ),
    ]

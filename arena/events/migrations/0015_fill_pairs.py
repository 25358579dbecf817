from django.db import migrations, models
from django.db.models import CharField, Count, Max, Min, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat

BATCH = 5_000


def fill_pairs(apps, schema_editor):
    """Give every matchup there is the pair of its competitors."""
    Matchup = apps.get_model("events", "Matchup")
    MatchupResponse = apps.get_model("events", "MatchupResponse")
    sides = MatchupResponse.objects.filter(matchup=OuterRef("pk")).order_by().values("matchup")
    of_two = sides.annotate(
        shown=Count("pk"),
        owned=Count("response__competitor"),
        low=Min("response__competitor"),
        high=Max("response__competitor"),
    ).filter(shown=2, owned=2)
    pair = of_two.annotate(
        pair=Concat(Cast("low", CharField()), Value("-"), Cast("high", CharField()))
    )
    last = 0
    while batch := list(
        Matchup.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        rows = Matchup.objects.filter(pk__gt=last, pk__lte=batch[-1])
        rows.update(pair=Coalesce(Subquery(pair.values("pair")), Value("")))
        last = batch[-1]


class Migration(migrations.Migration):
    # A transaction for each batch: people go on judging meanwhile. Filling twice does no harm.
    atomic = False
    dependencies = [("events", "0014_matchup_pair")]

    operations = [
        migrations.RunPython(fill_pairs, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="matchup",
            index=models.Index(
                condition=models.Q(
                    ("open_slots__gt", 0), ("retired_at", None), ("role", "ordinary")
                ),
                fields=["event", "pair", "shuffle"],
                name="matchup_open_pair",
            ),
        ),
    ]

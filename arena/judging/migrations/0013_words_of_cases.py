
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('judging', '0012_exclusion_decision_index'),
    ]

    operations = [
        migrations.AlterField(
            model_name='case',
            name='reason',
            field=models.CharField(choices=[('rigging', 'Lifts or lowers one model'), ('sides', 'Goes by sides, not by responses'), ('gap', 'Judges otherwise than others'), ('twin', 'Answers as another account does'), ('unreliable', 'Does not read'), ('review', 'Excluded on review')], max_length=12),
        ),
    ]


import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('judging', '0012_exclusion_decision_index'),
        ('leaderboard', '0010_category_boards'),
    ]

    operations = [
        migrations.CreateModel(
            name='CaseEffect',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('priority', models.FloatField()),
                ('evidence', models.FloatField()),
                ('on_first', models.FloatField(default=0.0)),
                ('on_prize', models.FloatField(default=0.0)),
                ('boards', models.JSONField(default=dict)),
                ('prize', models.JSONField(default=dict)),
                ('fingerprint', models.CharField(blank=True, max_length=64)),
                ('computed_at', models.DateTimeField(null=True)),
                ('case', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='effect', to='judging.case')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('on_first__gte', 0.0), ('on_first__lte', 1.0), ('on_prize__gte', 0.0), ('on_prize__lte', 1.0)), name='case_effect_influence_is_share'), models.CheckConstraint(condition=models.Q(('evidence__gte', 0.0), ('priority__gte', 0.0)), name='case_effect_not_negative')],
            },
        ),
    ]

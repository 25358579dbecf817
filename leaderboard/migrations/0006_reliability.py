# Reliability by latent classes, and standings whose score it gives.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0019_score_and_exclusion_rules'),
        ('leaderboard', '0005_rating_status_words'),
    ]

    operations = [
        migrations.CreateModel(
            name='Reliability',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('judgments', models.PositiveIntegerField()),
                ('controls', models.PositiveIntegerField()),
                ('passed', models.PositiveIntegerField()),
                ('reads', models.FloatField()),
                ('weight', models.PositiveSmallIntegerField()),
                ('overall', models.FloatField()),
                ('overall_error', models.FloatField()),
                ('on_controls', models.FloatField()),
                ('on_controls_error', models.FloatField()),
                ('on_others', models.FloatField()),
                ('on_others_error', models.FloatField()),
                ('kappa', models.FloatField(null=True)),
                ('kappa_error', models.FloatField(null=True)),
                ('quality', models.PositiveIntegerField(null=True)),
                ('shown_quality', models.PositiveIntegerField(null=True)),
                ('left', models.PositiveIntegerField()),
                ('ties', models.PositiveIntegerField()),
                ('right', models.PositiveIntegerField()),
                ('pace', models.FloatField(null=True)),
                ('agreement', models.FloatField(null=True)),
                ('agreement_low', models.FloatField(null=True)),
                ('agreement_high', models.FloatField(null=True)),
                ('compared', models.PositiveIntegerField(default=0)),
                ('agreement_on_controls', models.FloatField(null=True)),
                ('compared_on_controls', models.PositiveIntegerField(default=0)),
                ('consistency', models.FloatField(null=True)),
                ('rig_evidence', models.FloatField()),
                ('rig_lifts', models.BooleanField(default=False)),
                ('side_evidence', models.FloatField()),
                ('has_gap', models.BooleanField(default=False)),
                ('rigged', models.JSONField(default=list)),
                ('strongest', models.JSONField(default=list)),
            ],
            options={
                'verbose_name_plural': 'reliabilities',
            },
        ),
        migrations.CreateModel(
            name='ReliabilityFit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ledger_seq', models.PositiveBigIntegerField(default=0)),
                ('fingerprint', models.CharField(blank=True, max_length=64)),
                ('controls', models.PositiveIntegerField(default=0)),
                ('newcomer', models.PositiveSmallIntegerField(default=0)),
                ('pace_mean', models.FloatField(null=True)),
                ('pace_spread', models.FloatField(null=True)),
                ('computed_at', models.DateTimeField(null=True)),
                ('claimed_until', models.DateTimeField(null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='standing',
            name='standing_score_is_product',
        ),
        migrations.RemoveConstraint(
            model_name='standing',
            name='standing_ranked_has_band',
        ),
        migrations.AddField(
            model_name='snapshot',
            name='content',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AddField(
            model_name='snapshot',
            name='method',
            field=models.PositiveSmallIntegerField(db_default=4, default=4),
        ),
        migrations.AddField(
            model_name='standing',
            name='scored',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name='rating',
            name='weighting',
            field=models.CharField(choices=[('raw', 'Every vote equal'), ('weighted', 'Weighted by reliability'), ('style', 'Style controlled')], max_length=8),
        ),
        migrations.AlterField(
            model_name='standing',
            name='band',
            field=models.PositiveSmallIntegerField(choices=[(1, 'Not told apart from chance yet'), (2, 'Fair'), (3, 'Good'), (4, 'Very good'), (5, 'Excellent')], null=True),
        ),
        migrations.AddField(
            model_name='reliability',
            name='enrollment',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='reliability', to='events.enrollment'),
        ),
        migrations.AddField(
            model_name='reliability',
            name='event',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reliabilities', to='events.event'),
        ),
        migrations.AddField(
            model_name='reliability',
            name='rig_model',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='events.competitor'),
        ),
        migrations.AddField(
            model_name='reliabilityfit',
            name='event',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='reliability_fit', to='events.event'),
        ),
        migrations.AddConstraint(
            model_name='reliability',
            constraint=models.CheckConstraint(condition=models.Q(('reads__gte', 0.0), ('reads__lte', 1.0)), name='reliability_reads_probability'),
        ),
        migrations.AddConstraint(
            model_name='reliability',
            constraint=models.CheckConstraint(condition=models.Q(('passed__lte', models.F('controls'))), name='reliability_passed_among_controls'),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('judging', '0003_undo_skips'),
    ]

    operations = [
        migrations.AlterField(
            model_name='exclusion',
            name='reason',
            field=models.CharField(choices=[('late', 'Answered after its time'), ('unreliable', 'Not reliable enough'), ('rigging', 'Suspected manipulation'), ('broken', 'Shown text was broken'), ('recognised', 'A model was recognised'), ('organizer', 'Organizer’s decision')], max_length=12),
        ),
    ]

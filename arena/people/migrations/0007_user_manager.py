from django.db import migrations


class Migration(migrations.Migration):
    """The manager is the code's alone."""

    dependencies = [("people", "0006_guesses_and_mail")]

    operations = [migrations.AlterModelManagers("user", [])]

"""The manager of users."""

from typing import Any, TypeVar

from django.contrib.auth import models

from arena.model_rows import open_cursor, read_instance, select_columns

# Primary key.
READ_USER_SQL = "SELECT {columns} FROM people_user person WHERE person.id = %s"


Person = TypeVar("Person", bound=models.AbstractUser)


class UserManager(models.UserManager[Person]):
    """Django's own, but for how a person is read by primary key alone, as every request does: by a
    statement that is written out."""

    use_in_migrations = False

    def get(self, *args: Any, **conditions: Any) -> Person:
        """One user. Raises as Django's does."""
        # A manager of related users is of a subclass, and knows fewer of them.
        is_whole = type(self) is UserManager and self._db is None
        key = conditions.get("pk")
        if args or len(conditions) != 1 or not isinstance(key, int) or not is_whole:
            return super().get(*args, **conditions)
        return read_user(self.model, key)


def read_user(model: type[Person], key: int) -> Person:
    """The user with this primary key. Raises `model.DoesNotExist`."""
    sql = READ_USER_SQL.format(columns=select_columns({"person": model}))
    with open_cursor() as cursor:
        cursor.execute(sql, [key])
        row = cursor.fetchone()
    if row is None:
        raise model.DoesNotExist
    return read_instance(model, iter(row))

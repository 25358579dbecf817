"""Reading one person by primary key, which is written out, and all other ways beside it."""

import pytest
from django.contrib.auth.models import Group

from arena.people.models import User

pytestmark = pytest.mark.django_db


def test_it_is_the_person_that_django_reads() -> None:
    made = User.objects.create_user("tea", "tea@example.com", "leaves", display_name="Tea")
    read, other = User.objects.get(pk=made.pk), User.objects.filter(pk=made.pk).get()
    assert read == other
    fields = [field.attname for field in User._meta.concrete_fields]
    assert [getattr(read, name) for name in fields] == [getattr(other, name) for name in fields]
    read.display_name = "Green tea"
    read.save()
    assert User.objects.get(username="tea").display_name == "Green tea"


def test_nobody_is_not_found() -> None:
    with pytest.raises(User.DoesNotExist):
        User.objects.get(pk=1)


def test_a_group_gives_its_own_people_alone() -> None:
    someone, group = User.objects.create_user("tea"), Group.objects.create(name="drinkers")
    with pytest.raises(User.DoesNotExist):
        group.user_set.get(pk=someone.pk)
    group.user_set.add(someone)
    assert group.user_set.get(pk=someone.pk) == someone

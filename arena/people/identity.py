"""What is known of the person behind an account."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount

from arena.people.models import User


def verified_domains(user: User) -> set[str]:
    """Domains of the addresses that this user has shown to be theirs, in lower case."""
    addresses = EmailAddress.objects.filter(user=user, verified=True)
    return {
        address.rpartition("@")[2].lower() for address in addresses.values_list("email", flat=True)
    }


def has_verified_identity(user: User) -> bool:
    """Whether a prize could be sent to this person: a verified address or a social identity.

    An address and a social identity belong to one account at most, so it is one per person.
    """
    addresses = EmailAddress.objects.filter(user=user, verified=True)
    return bool(addresses.exists() or SocialAccount.objects.filter(user=user).exists())

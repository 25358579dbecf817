"""What we know about the person behind an account."""

from collections.abc import Iterator

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount

from arena.people.models import User

GMAIL_DOMAINS = ("gmail.com", "googlemail.com")


def get_verified_domains(user: User) -> set[str]:
    """Domains of the user's verified addresses, in lower case."""
    addresses = EmailAddress.objects.filter(user=user, verified=True)
    return {
        address.rpartition("@")[2].lower() for address in addresses.values_list("email", flat=True)
    }


def has_verified_identity(user: User) -> bool:
    """Whether the user has a verified mailbox or social identity of their own, as a prize requires.

    A mailbox counts for the account that verified it first, in whatever spelling, and a social
    identity belongs to one account at most, so each counts once.
    """
    addresses = EmailAddress.objects.filter(user=user, verified=True)
    return SocialAccount.objects.filter(user=user).exists() or any(map(is_first_owner, addresses))


def find_earlier_owners(user: User) -> set[int]:
    """Primary keys of the other accounts that verified one of this user's mailboxes earlier.

    They are the same person's: whoever reads a mailbox confirmed all of them. A social identity
    has one account (a unique constraint of allauth's).
    """
    addresses = EmailAddress.objects.filter(user=user, verified=True)
    return {owner for address in addresses for owner in iter_earlier_owners(address)}


def is_same_person(one: User, other: User) -> bool:
    """Whether two accounts are one person's, as far as their verified mailboxes tell."""
    is_known = other.pk in find_earlier_owners(one) or one.pk in find_earlier_owners(other)
    return one == other or is_known


def is_first_owner(address: EmailAddress) -> bool:
    """Whether no other account verified this mailbox earlier."""
    return next(iter_earlier_owners(address), None) is None


def iter_earlier_owners(address: EmailAddress) -> Iterator[int]:
    """Primary keys of the other accounts that verified this mailbox earlier, in any spelling."""
    mailbox = normalize_address(address.email)
    earlier = EmailAddress.objects.filter(
        verified=True, pk__lt=address.pk, email__istartswith=mailbox[0]
    ).exclude(user=address.user_id)
    for owner, email in earlier.values_list("user_id", "email").iterator():
        if normalize_address(email) == mailbox:
            yield owner


def normalize_address(address: str) -> str:
    """Normalize an address to its mailbox: no case, no "+" suffix, no dots at Gmail."""
    local, _, domain = address.lower().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in GMAIL_DOMAINS:
        local, domain = local.replace(".", ""), GMAIL_DOMAINS[0]
    return f"{local}@{domain}"

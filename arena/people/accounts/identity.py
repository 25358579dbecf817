"""What we know about the person behind an account."""

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


def is_first_owner(address: EmailAddress) -> bool:
    """Whether no other account verified this mailbox earlier."""
    mailbox = normalize_address(address.email)
    earlier = EmailAddress.objects.filter(
        verified=True, pk__lt=address.pk, email__istartswith=mailbox[0]
    ).exclude(user=address.user_id)
    return mailbox not in map(normalize_address, earlier.values_list("email", flat=True).iterator())


def normalize_address(address: str) -> str:
    """Normalize an address to its mailbox: no case, no "+" suffix, no dots at Gmail."""
    local, _, domain = address.lower().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in GMAIL_DOMAINS:
        local, domain = local.replace(".", ""), GMAIL_DOMAINS[0]
    return f"{local}@{domain}"

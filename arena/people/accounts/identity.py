"""What is known of the person behind an account."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount

from arena.people.models import User

GMAIL_DOMAINS = ("gmail.com", "googlemail.com")


def get_verified_domains(user: User) -> set[str]:
    """Domains of the addresses that this user has shown to be theirs, in lower case."""
    addresses = EmailAddress.objects.filter(user=user, verified=True)
    return {
        address.rpartition("@")[2].lower() for address in addresses.values_list("email", flat=True)
    }


def has_verified_identity(user: User) -> bool:
    """Whether a prize could be sent to this person: a mailbox or a social identity of their own.

    A mailbox counts for the account that had it first, in whatever spelling, and a social identity
    belongs to one account at most, so it is one per person.
    """
    addresses = EmailAddress.objects.filter(user=user, verified=True)
    return SocialAccount.objects.filter(user=user).exists() or any(map(is_first_owner, addresses))


def is_first_owner(address: EmailAddress) -> bool:
    """Whether no other account had shown this mailbox to be theirs before."""
    mailbox = normalize_address(address.email)
    earlier = EmailAddress.objects.filter(
        verified=True, pk__lt=address.pk, email__istartswith=mailbox[0]
    ).exclude(user=address.user_id)
    return mailbox not in map(normalize_address, earlier.values_list("email", flat=True).iterator())


def normalize_address(address: str) -> str:
    """One spelling for all addresses of a mailbox: no case, no "+" suffix, no dots at Gmail."""
    local, _, domain = address.lower().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in GMAIL_DOMAINS:
        local, domain = local.replace(".", ""), GMAIL_DOMAINS[0]
    return f"{local}@{domain}"

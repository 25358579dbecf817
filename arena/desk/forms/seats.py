"""The forms of an event's seats."""

from django import forms
from django.utils.translation import gettext_lazy as _

MAX_PRINTED_SEATS, MAX_OPEN_SEATS = 5_000, 100_000


class PrintedSeatsForm(forms.Form):
    """How many printed seats to make."""

    printed = forms.IntegerField(
        label=_("Printed seats"), min_value=1, max_value=MAX_PRINTED_SEATS, initial=20
    )


class SeatForm(forms.Form):
    """The seat whose code is to be made anew."""

    username = forms.CharField(label=_("Username"), max_length=150)


class OpenSeatsForm(forms.Form):
    """How many open seats to make, and how many a network may claim in a day."""

    open = forms.IntegerField(
        label=_("Open seats"), min_value=0, max_value=MAX_OPEN_SEATS, initial=200
    )
    claims_per_network = forms.IntegerField(
        label=_("Seats per network and day"),
        min_value=1,
        max_value=100_000,
        help_text=_(
            "Raise it if a whole class joins from one network. A provider’s whole block of IPv6 "
            "addresses gets four times as many."
        ),
    )

"""What the forms of the set-up share: fields locked, folded away, or changed with a reason."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from arena.errors import ArenaError
from arena.events.decision_record import MAX_NOTE, check_note
from arena.events.lifecycle.locking import locked_fields
from arena.events.models import Event

WHY_HELP = _("Public, with the change, on the event’s registration. No names.")


def keep_line_ends(typed: str, before: str) -> str:
    """The typed text, with \n as line ends; exactly `before` where nothing else was changed."""
    plain = "\n".join(typed.split("\r\n"))
    return before if plain.strip() == "\n".join(before.split("\r\n")).strip() else plain


class SettingsForm(forms.ModelForm):
    """A form of the set-up: rare settings are folded away, and what was promised stays."""

    # Fields under "More settings".
    advanced_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        columns = {field.name for field in self.instance._meta.concrete_fields}
        kept = {name: getattr(self.instance, name) for name in self.fields if name in columns}
        # What each field says before this form is saved.
        self.before: dict[str, Any] = {**self.initial, **kept}

    def lock_fields(self, event: Event) -> None:
        """Lock the fields that the event does not let anybody change any more; a change of others
        takes a reason, once it is no draft."""
        self.is_event_over = event.is_over()
        for name in locked_fields(event, self.fields):
            self.fields[name].disabled = True
        is_open = any(not field.disabled for field in self.fields.values())
        if is_open and event.pk is not None and event.state != Event.State.DRAFT:
            self.fields["why"] = forms.CharField(
                label=_("Why you change it"),
                max_length=MAX_NOTE,
                required=False,
                help_text=WHY_HELP,
            )

    def clean(self) -> dict[str, Any]:
        """With the reason, which a change of a running event cannot do without."""
        cleaned = super().clean() or self.cleaned_data
        self.convert(cleaned)
        if "why" in self.fields and (cleaned.get("why") or self.list_changes()):
            try:
                check_note(cleaned.get("why", ""))
            except ArenaError as error:
                self.add_error("why", error.message)
        return cleaned

    def convert(self, cleaned: dict[str, Any]) -> None:
        """Give values the form in which they are kept: texts keep the line ends that they had."""
        for name, said in cleaned.items():
            if isinstance(said, str):
                cleaned[name] = keep_line_ends(said, str(self.before.get(name) or ""))

    def list_changes(self) -> list[str]:
        """The fields that say something else than before."""
        said = self.cleaned_data
        asked = (name for name in said if name not in ("why", "other_timezone"))
        return [name for name in asked if said[name] != self.before.get(name)]

    def basic_fields(self) -> list[forms.BoundField]:
        """The fields that are not under “More settings”."""
        apart = {*self.advanced_names, "why"}
        return [field for field in self.visible_fields() if field.name not in apart]

    def advanced_fields(self) -> list[forms.BoundField]:
        """The fields under “More settings”."""
        return [self[name] for name in self.advanced_names]

    def has_advanced_errors(self) -> bool:
        """Whether a field under “More settings” has an error, so that they are shown unfolded."""
        return any(field.errors for field in self.advanced_fields())

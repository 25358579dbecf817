"""The organizer's and reviewer's pages: setting an event up, watching over it, reviewing."""

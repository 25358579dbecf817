"""How people come in: enrolling, invitations, terms, pseudonyms and names, with their views. Who
may see an event is in `events.access`.
"""

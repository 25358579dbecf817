"""The pages of joining: the join page, invitations, names. Nothing imports them but the URLs."""

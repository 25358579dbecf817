"""The organizers' and reviewers' pages, a module each. Nothing imports them but the URLs."""

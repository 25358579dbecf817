"""What judging costs at the least: a Django site of two requests for each judgment.

Session, user, CSRF, a lease, a template, and nothing of the product. `bench.serving` runs it beside
the product, on the same machine and database server, in the same run.
"""

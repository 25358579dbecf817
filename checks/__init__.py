"""What `make check` asks of the tree as a whole: the length of modules, and the circles and the
picture of their imports. What ruff, mypy, djlint and import-linter ask stands in their settings.
"""

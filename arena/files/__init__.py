"""Where files are kept that more than one process needs: uploads, and the bundles of rounds.
One setting, `FILES_URL`, chooses for all of them; what a file says is known to those who use it.
"""

"""The site as people start it: tried from outside, by a browser and commands.

Nothing here imports anything of the project: what these tests know of it they were shown.
"""

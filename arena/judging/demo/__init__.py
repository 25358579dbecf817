"""The sample event and its simulated contributors, for trying the site out. They are served and
recorded by the functions that serve people, so no rule of judging is here.
"""

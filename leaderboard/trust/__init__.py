"""How far a contributor can be trusted: arrays in, frozen results out. numpy, no Django;
rows become arrays in `leaderboard.contributors`.
"""

"""Models that give one number to each competitor from who won: Bradley-Terry and Elo. Models with
further parameters are in `extended`, intervals in `inference`.
"""

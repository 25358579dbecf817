"""Bradley-Terry with more parameters: ties as an outcome (Davidson) and style control, each with
its covariance. The plain models are in `models`.
"""

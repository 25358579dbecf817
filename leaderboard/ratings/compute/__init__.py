"""Arithmetic that knows nothing of votes: names of arrays, chunks of rows, threads, compiled loops,
Newton's method, errors. No model is here, and nothing reads `Votes`.
"""

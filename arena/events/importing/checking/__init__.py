"""What is wrong or doubtful in records: checks, doubts, texts that give a model away, what a row
would change. Nothing is written here.
"""

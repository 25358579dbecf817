"""What the organizers' pages show, read from the database: health, forecasts, plans, records,
pairs. Nothing is changed here.
"""

"""From the database to arrays: queries as integer columns, the columns kept on disk between two
refreshes, and what matchups consist of. Nothing is computed from them here.
"""

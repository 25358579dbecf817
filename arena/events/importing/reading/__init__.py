"""Files to records: formats, columns, cells, names, the parser of one record. Nothing is judged
here that needs the event.
"""

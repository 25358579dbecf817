"""Files to records: bytes, columns, cells, names, the parser of one record; a format each in
`formats`. Nothing is judged here that needs the event.
"""

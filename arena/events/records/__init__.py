"""What is done to records after their import: controls and corrections. Bringing them in is in
`events.importing`.
"""

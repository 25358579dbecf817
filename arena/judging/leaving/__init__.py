"""When a contributor leaves: erasing their data, returning unused seats. Claiming seats is in
`people.seats`.
"""

"""What remains of judging when somebody leaves: erasure, unused seats. Leaving a seat itself is in
`people`.
"""

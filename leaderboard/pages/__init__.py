"""What readers see: views, the board in words and points, charts, downloads, the method page.
Nothing is computed here that a snapshot should hold.
"""

"""One module for each format that a file's bytes may have, to rows of columns or keys. What those
mean is read a folder above; files of other kinds are told by name, and refused.
"""

"""The lock in the words of other tools: one module a format, and a row in `formats`.

Spec + Lock (+ the file that a format is about) -> text, and what could not be said in it

Pure. The same lock gives the same bytes.
"""

"""Where files name images, and what they say once the digests are in place (design section 9).

file bytes -> occurrences, with the offset that each character comes from
occurrence + wanted reference -> edits, or why it cannot hold them -> new bytes

Pure: bytes in, edits out. Only spans are edited; every other byte of a file stays.
"""

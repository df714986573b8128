"""Packages inside an image: what its own package databases name, and what an upgrade fixes.

layer stream -> bounded tar reader -> the few files that matter -> databases -> Package
Inventory of both images -> PackageChanges, by the distribution's own version order

Everything here is foreign input, read in a stream within limits and never unpacked to disk (design
sections 8 and 10). What cannot be read is a note, never a failure.
"""

"""Beginnings: images.toml from what a repository's files, or other tools' lockfiles, name already.

files      -> sightings -> proposals -> images.toml               `pinner init`
lockfiles  -> sightings -> proposals -> images.toml, images.lock  `pinner import`

Pure but for `gather`, which reads files, and `adopt`, which asks a registry.
"""

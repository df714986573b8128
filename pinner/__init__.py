"""pinner: a lockfile for container images.

`images.toml` says which images a repository wants, `images.lock` holds the immutable digest of
each platform, and a store (an OCI image layout) holds the bytes. docs/api.md shows how to read a
lockfile, resolve and sync from Python.
"""

__version__ = "0.1.0"

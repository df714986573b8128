"""The store: an OCI image layout on disk, and the only code that writes blobs.

A blob gets its name only by a rename, after its bytes hashed to its digest; a name gets into
`index.json` only after the blobs that it needs. docs/store.md has the layout and the promises.
"""

"""A read-only registry (distribution-spec, pull) over a source of content.

    server -> connection -> Request -> app.App.handle -> Response -> connection
                                           |
                                           content.Content (a store)

`app` decides and knows no sockets; `connection` moves bytes and knows no registry. Why the standard
library carries it: docs/adr/0002-serve-on-the-standard-library.md.
"""

"""A read-only registry (distribution-spec, pull) over a source of content.

    server -> connection -> Request -> app.App.handle -> Response -> connection
                  |                        |
                  channel (or tls)         content.Content (a store)

`app` decides and knows no sockets; `connection` knows HTTP and no registry; `channel` moves bytes.
Why the standard library carries it: docs/adr/0002-serve-on-the-standard-library.md.
"""

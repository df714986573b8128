"""Registries: their endpoints, credentials and HTTP; the only place that knows httpx.

open_client -> RegistryClient          answers the protocols of `pinner.oci.sources`
  Fallback       mirrors, registry     endpoints, manifests, blobs, paging
  Wire           attempts, waits       retry, ratelimit, failures, errorbody
  LoggedIn       one login             auth, grants, tokens, credentials, helpers
  Courier        redirects, pauses     redirects, urls, addresses, reply
  httpx.Client over Transport          connections, http11, sockets, routes, proxies, tls
"""

from pinner.registry import lean as lean  # before any module here imports httpx

"""The field's nouns as frozen values: references, digests, descriptors, platforms, manifests.

Everything here is pure: text or bytes in, checked values out (`X.parse` raises `InvalidX`).
"""

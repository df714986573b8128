"""What differs between two pins of one image: metadata, layers, platforms, packages.

LockedImage before, after -> facts of each (store, else registry) -> ImageChange
"""

"""What pinner's TOML files share: strict reading, a line for every problem, common tables.

    bytes --document--> values (tomllib) + layout (scan) --table--> checked values, or problems

Used by images.toml, images.lock and config.toml.
"""

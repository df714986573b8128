"""`make docs`: runs every example of the documentation and writes down what it prints.

Outputs of console blocks, docs/cli.md, the cases in docs/files, the catalogue
in docs/faults.md and the pictures in docs/images.
Pages that are as they should be stay untouched.
"""

from __future__ import annotations

import sys

from docpages import dockerfiles, faults, pages, pictures, reference


def main() -> None:
    """Write everything that is generated."""
    for page in pages.pages():
        is_reference = page == pages.DOCS / "cli.md"
        shown = page.read_text(encoding="utf-8")
        text = pages.perform(reference.skeleton() if is_reference else shown)
        if text != shown:
            page.write_text(text, encoding="utf-8")
            sys.stderr.write(f"wrote {page.relative_to(pages.ROOT)}\n")
    if dockerfiles.write(pages.DOCS / "files" / "dockerfile.md"):
        sys.stderr.write("wrote the table of docs/files/dockerfile.md\n")
    if faults.write():
        sys.stderr.write("wrote the tables of docs/faults.md\n")
    for name, make in pictures.PICTURES.items():
        pictures.write(name, make())
        sys.stderr.write(f"drew docs/images/{name}.svg\n")


if __name__ == "__main__":
    main()

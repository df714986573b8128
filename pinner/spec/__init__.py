"""images.toml: what is wished for (design section 2).

text --parse--> Spec                     values, or every problem with its line
text --edit (add, remove)--> text        comments, order and line ends stay
"""

from pinner.spec.model import Spec, SpecEntry
from pinner.spec.parse import SPEC_LIMIT, parse_spec

__all__ = ["SPEC_LIMIT", "Spec", "SpecEntry", "parse_spec"]

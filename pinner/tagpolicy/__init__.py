"""Which of a repository's tags an entry follows.

What every wish can answer stands here; each kind of wish is a module of its own, which whoever
makes one imports, since `versions` needs packaging, and few specs need that.
"""

from pinner.tagpolicy.wish import InvalidWish, TagWish, choose_tag

__all__ = ["InvalidWish", "TagWish", "choose_tag"]

"""Git, as pinner needs it: read a file of a revision, and put files onto a branch.

This is the only place that runs git. Everything is plumbing: the work tree is never looked at or
written, and no program that a repository's configuration names is run (pinner.git.process).
"""

from pinner.git.model import Destination, Message, Proposal, Published, Refused
from pinner.git.publish import Publisher
from pinner.git.repository import Repository

__all__ = ["Destination", "Message", "Proposal", "Published", "Publisher", "Refused", "Repository"]

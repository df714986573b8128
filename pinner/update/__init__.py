"""`pinner update`: where do the tags point now, and is that old enough to be taken?

Spec + Lock -> a HEAD for each entry -> candidates -> evidence of age -> outcomes + new Lock
"""

"""A virtual UICC with fault injection, its face for a real PC/SC daemon, and a private bench of both.

A test device: its image file holds the keys that a real card keeps in its silicon, so the file is for its owner only.
"""

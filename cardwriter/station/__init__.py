"""The hands in the hall: runs the service's scripts on the card in a reader and reports what the card said.

The station knows no key, no card family and no business rule. It is plain threads: hardware blocks.
"""

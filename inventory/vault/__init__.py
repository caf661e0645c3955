"""Secrets at rest: envelopes, the keys that seal them, and vendors' transport keys. No SQL, nothing printable."""

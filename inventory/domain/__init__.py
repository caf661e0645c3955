"""The rules of the stock, pure: no clock, no randomness, no I/O, no logging (docs/adr)."""

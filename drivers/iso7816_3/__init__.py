"""ISO/IEC 7816-3 as machines without I/O: answer to reset, choice of protocol and speed, T=0.

Clause numbers are those of the 2006 edition. A machine is a generator: it yields turns, is sent what was heard, and
returns its result or raises a `DriverError`. Silence is thrown into it as `TimeoutError`.
"""

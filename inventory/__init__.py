"""The stock of an operator: what it has, who holds it, what it costs and what was promised."""

__version__ = "0.1.0"

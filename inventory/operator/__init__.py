"""The way to an operator's own card-data system (docs/operator-adapter.md): the service asks it, never a station."""

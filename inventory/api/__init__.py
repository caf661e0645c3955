"""The service over HTTP: JSON in, JSON out, refusals as problem+json."""

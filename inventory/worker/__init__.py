"""The background process: ends holds in time, seals events, audits at night."""

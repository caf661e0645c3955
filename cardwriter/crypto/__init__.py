"""Algorithms of the subscriber's authentication, and the wrapper that keeps keys out of sight (pure)."""

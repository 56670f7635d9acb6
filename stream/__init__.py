"""The service: calls in, alerts out."""

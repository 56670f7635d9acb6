"""Checks that need no model: what only the right person knows, and a call back on a known number."""

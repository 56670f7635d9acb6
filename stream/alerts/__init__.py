"""Alerts: kept, then pushed."""

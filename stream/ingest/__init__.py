"""Adapters: each turns one wire format into the same frames. They may await; they decide nothing."""

"""Recipes, data, augmentation and evaluation. Imported by nothing that serves."""

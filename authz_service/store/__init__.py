"""Entities in a database."""

"""Policies with one thing changed in them, and whether the scenarios notice."""

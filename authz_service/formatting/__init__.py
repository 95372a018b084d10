"""Policies, scenarios and fixtures as they are to be written."""

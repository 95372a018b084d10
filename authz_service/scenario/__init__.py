"""Scenarios: what must be so, written in YAML by testers."""

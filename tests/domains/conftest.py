"""What pytest leaves alone here."""

from __future__ import annotations

# These are of other domains than the one that the plugin runs; test_domains.py runs them.
collect_ignore_glob = ["*/scenarios/*"]

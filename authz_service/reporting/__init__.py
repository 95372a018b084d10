"""What came of a run of scenarios, or was found, for people and for other programs."""

"""What came of a run of scenarios, for people and for other programs."""

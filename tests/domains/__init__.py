"""Small domains, each an application of its own, in the idioms of public Polar."""

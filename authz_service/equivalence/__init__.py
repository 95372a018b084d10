"""Equivalence: two policies held against each other, in all small stores."""

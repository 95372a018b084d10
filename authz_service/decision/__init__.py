"""A question in, an answer out; performs nothing."""

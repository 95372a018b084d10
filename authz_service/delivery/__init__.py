"""Delivery: messages of the outbox, written out and sent through real channels."""

"""What the scenarios show of the policies, and what they leave untested."""

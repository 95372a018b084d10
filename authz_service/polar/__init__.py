"""The Polar language and what its names may refer to; knows no database, no Flask, no oso."""

"""How policies come to serve: tried first, then swapped in."""

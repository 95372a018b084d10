"""What a policy means: a folder of Polar files as one thing, and the engines that evaluate it."""

"""What the public sees: the signed publication and the outer face that shows it (6.2, 10.3)."""

"""The reminder at order time, the physician's decision, its citation and notice (6.6, 6.7)."""

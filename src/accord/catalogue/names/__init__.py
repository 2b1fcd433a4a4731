"""Local names of examinations read into parts, and the item they mean (7.2, R6.3-2)."""

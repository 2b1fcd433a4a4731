"""The rules of clauses 3, 5, 6 and 7.3 at the order; importing this registers them."""

"""Visits, orders and reports, and their link to the images (clauses 6.6, 7.1)."""

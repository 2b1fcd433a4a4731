"""Clauses 5 and 6 applied to an order and a past examination: advice with all its reasons."""

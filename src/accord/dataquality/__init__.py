"""Clause 7.1 applied to one study: format, consistency, completeness."""

"""Technical ground without words of the domain."""

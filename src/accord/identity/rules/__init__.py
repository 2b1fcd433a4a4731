"""When two records are one person (R-ID-1), and what a number is worth (GB 11643)."""

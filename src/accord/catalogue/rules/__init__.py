"""Rules of clause 7.2: names of four parts, and codes."""

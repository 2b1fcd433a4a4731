"""An institution's own names of examinations: proposed, approved, confirmed (R7.2-1)."""

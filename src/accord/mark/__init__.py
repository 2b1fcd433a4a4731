"""The mark 川渝 HR: who may carry it on which examination (clause 6.4)."""

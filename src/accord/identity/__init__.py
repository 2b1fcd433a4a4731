"""Patients across institutions."""

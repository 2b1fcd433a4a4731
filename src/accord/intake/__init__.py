"""Intake of HL7 v2 messages (MLLP): kept before they are answered, mapped to the record."""

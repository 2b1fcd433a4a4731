"""DICOM in and out: receive, keep, index, serve."""

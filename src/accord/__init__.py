"""川渝影像互认质控平台: mutual recognition and quality control of DR, CT and MR examinations."""

__version__ = "0.1.0"

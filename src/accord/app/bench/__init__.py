"""Measurements on this machine: one module a bench, each with `run(settings, **options) -> dict`.

The dict has the shape of design.md 6: `name`, `machine`, `figures`, `peer`, `ratios`. The options
of `run` become the options of `accord bench NAME`.
"""

"""Assembly: processes, command line, wiring, migrations, demo and benchmarks."""

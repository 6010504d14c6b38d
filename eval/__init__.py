"""Offline evaluation: `python -m eval run SUITE`, the same as `defuse eval run SUITE`."""

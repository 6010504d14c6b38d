"""The data sets that this project wrote, and the trainers that turn them into the adapters."""

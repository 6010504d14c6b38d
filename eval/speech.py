"""The customer's lines."""

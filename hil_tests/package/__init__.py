"""The wheel that a release hands out."""

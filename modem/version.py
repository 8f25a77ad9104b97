"""The version of the installer's tool, which is the product's: pyproject.toml has the same, held by a test."""

VERSION = "0.1.0"

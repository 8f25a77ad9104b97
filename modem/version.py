"""The version of the installer's tool. It equals the product version in pyproject.toml; a test checks this."""

VERSION = "0.1.0"

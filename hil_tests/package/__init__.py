"""Tests of the wheel of a release."""

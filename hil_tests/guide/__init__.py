"""The operator's guide, typed by a stranger: its commands on a clean Debian, one after another."""

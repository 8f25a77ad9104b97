"""Run the commands of the operator's guide on a clean Debian, one after another."""

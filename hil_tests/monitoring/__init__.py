"""Tests of the files in cloud_bridge/deploy/monitoring, with the programs that read them."""

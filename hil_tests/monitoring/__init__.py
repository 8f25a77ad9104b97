"""The files of cloud_bridge/deploy/monitoring, with the programs that they are for."""

"""How a role reports that its ports are open."""

from typing import Protocol


class Ready(Protocol):
    """Called with the open ports; 0 and None if there is none for units. For Home Assistant, the ports without TLS and
    with it."""

    def __call__(
        self,
        http_port: int,
        mqtt_port: int = 0,
        mqtts_port: int | None = None,
        ocpp_port: int | None = None,
        ocpps_port: int | None = None,
        home_ports: tuple[int | None, int | None] = (None, None),
    ) -> None: ...

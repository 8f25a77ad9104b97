"""How a role says that it has opened what it opens."""

from typing import Protocol


class Ready(Protocol):
    """The ports; 0 and None where there is none for units. Of Home Assistants, the one without TLS and the one with it."""

    def __call__(
        self,
        http_port: int,
        mqtt_port: int = 0,
        mqtts_port: int | None = None,
        ocpp_port: int | None = None,
        ocpps_port: int | None = None,
        home_ports: tuple[int | None, int | None] = (None, None),
    ) -> None: ...

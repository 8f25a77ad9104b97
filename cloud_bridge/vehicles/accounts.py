"""The car accounts of all drivers: what the pages, the webhooks and the polling work with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cloud_bridge.clock import Clock
from cloud_bridge.settings import Settings
from cloud_bridge.store.database import Database
from cloud_bridge.vehicles.maker_calls import MakerCalls
from cloud_bridge.vehicles.providers.catalogue import Catalogue, read_catalogue
from cloud_bridge.vehicles.providers.provider import Provider, ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.vehicles.tokens.grants import Grants
from cloud_bridge.vehicles.tokens.keys import key_source
from cloud_bridge.vehicles.tokens.refresh_client import RefreshWorkerProcess
from cloud_bridge.vehicles.tokens.vault import Vault
from cloud_bridge.verified_time import Clocks


@dataclass(frozen=True, slots=True)
class Accounts:
    """Made by the composition root; tests make one with their own clock, providers and refresh client."""

    database: Database
    clocks: Clocks
    catalogue: Catalogue
    grants: Grants
    calls: MakerCalls = field(default_factory=MakerCalls)

    @property
    def clock(self) -> Clock:
        return self.clocks.clock

    def verified_ms(self) -> int:
        """By which what a driver began is over (verified_time.py)."""
        return self.clocks.verified.now_ms()

    def provider(self, name: str) -> Provider:
        """Raises ProviderError for a provider that is no longer in the settings: the operator has to act, not the driver."""
        try:
            return self.catalogue.providers[name]
        except KeyError:
            raise ProviderError(Trouble.NOT_SET_UP, f"the provider {name} is not in the settings any more") from None

    def close(self) -> None:
        """Does not close the database, nor wait for a refresh that is under way: it ends by itself."""
        self.calls.close()
        self.grants.refresh_client.close()
        self.catalogue.close()


def open_accounts(database: Database, clocks: Clocks, settings: Settings, environment: Mapping[str, str]) -> Accounts:
    """Starts no process and no thread. Raises SettingError."""
    grants = Grants(
        Vault(key_source(settings.folder, environment)), RefreshWorkerProcess(settings.folder, settings.database)
    )
    return Accounts(database, clocks, read_catalogue(settings.folder, environment), grants)

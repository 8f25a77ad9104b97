"""The car accounts of all drivers: the shared state of the pages, the webhooks and the polling."""

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
    """Created by the composition root; tests create one with their own clock, providers and refresh client."""

    database: Database
    clocks: Clocks
    catalogue: Catalogue
    grants: Grants
    calls: MakerCalls = field(default_factory=MakerCalls)

    @property
    def clock(self) -> Clock:
        return self.clocks.clock

    def verified_ms(self) -> int:
        """Return verified time (verified_time.py), by which drivers' pending steps expire."""
        return self.clocks.verified.now_ms()

    def provider(self, name: str) -> Provider:
        """Return a provider. Raises ProviderError if it was removed from the settings: the operator has to act, not the
        driver."""
        try:
            return self.catalogue.providers[name]
        except KeyError:
            raise ProviderError(Trouble.NOT_SET_UP, f"the provider {name} is not in the settings any more") from None

    def close(self) -> None:
        """Close the clients. Neither the database is closed, nor does this wait for a refresh in progress, which ends by
        itself."""
        self.calls.close()
        self.grants.refresh_client.close()
        self.catalogue.close()


def open_accounts(database: Database, clocks: Clocks, settings: Settings, environment: Mapping[str, str]) -> Accounts:
    """Create the accounts. Starts no process and no thread. Raises SettingError."""
    grants = Grants(
        Vault(key_source(settings.folder, environment)), RefreshWorkerProcess(settings.folder, settings.database)
    )
    return Accounts(database, clocks, read_catalogue(settings.folder, environment), grants)

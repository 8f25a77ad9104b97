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
from cloud_bridge.vehicles.tokens.keys import key_source
from cloud_bridge.vehicles.tokens.refresh_client import RefreshClient, RefreshWorkerProcess
from cloud_bridge.vehicles.tokens.vault import Vault


@dataclass(frozen=True, slots=True)
class Accounts:
    """Made by the composition root; tests make one with their own clock, providers and refresh door."""

    database: Database
    clock: Clock
    vault: Vault
    catalogue: Catalogue
    refresh_client: RefreshClient
    calls: MakerCalls = field(default_factory=MakerCalls)

    def provider(self, name: str) -> Provider:
        """Raises ProviderError for one that has gone from the settings: the operator's to mend, not the driver's."""
        try:
            return self.catalogue.providers[name]
        except KeyError:
            raise ProviderError(Trouble.MISUSED, f"the provider {name} is not in the settings any more") from None

    def close(self) -> None:
        """Not the database, which is the caller's. Does not wait for a refresh that is under way: it ends by itself."""
        self.calls.close()
        self.refresh_client.close()
        self.catalogue.close()


def open_accounts(database: Database, clock: Clock, settings: Settings, environment: Mapping[str, str]) -> Accounts:
    """Raises SettingError."""
    return Accounts(
        database,
        clock,
        Vault(key_source(settings.folder, environment)),
        read_catalogue(settings.folder, environment),
        RefreshWorkerProcess(settings.folder, settings.database),
    )

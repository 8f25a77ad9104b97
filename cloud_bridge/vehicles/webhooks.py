"""Webhook deliveries of providers: decoded by the provider's own module, and stored here.

The signature is checked before any content of a delivery is used (Webhook.read). A reading is stored for everybody who has
linked the car. Any other event about a car makes it due, so the next poll decides on the state of its link.
"""

from collections.abc import Mapping

from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.providers.provider import BadSignature


def take_in(accounts: Accounts, provider_name: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """Store one delivery. Returns the JSON body of the response.

    Raises MalformedDelivery, and BadSignature, also for a provider that is not configured or has no webhook.
    """
    provider = accounts.catalogue.providers.get(provider_name)
    if provider is None or provider.webhook is None:
        raise BadSignature
    delivery = provider.webhook.read(headers, body, accounts.clock.now_ms())
    if delivery.car_id is not None:
        with accounts.database.writing() as connection:
            for vehicle in repository.of_car(connection, provider_name, delivery.car_id):
                repository.store_heard(connection, vehicle, accounts.clock.now_ms())
                if delivery.reading is not None:
                    repository.store_reading(connection, vehicle, delivery.reading)
                else:
                    repository.make_due(connection, vehicle)
    return delivery.answer

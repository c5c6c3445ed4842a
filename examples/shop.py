"""A shop of four hundred orders, seeded, twenty at a time, some of which fail. The site's pictures show its tape.

Prints nothing; `calltape top` and `calltape errors` do.
"""

import asyncio
import random

from calltape import monitor

RANDOM = random.Random(20261122)
PRICES = {"tea": 3, "coffee": 5, "cake": 4, "bread": 2}


class PaymentDeclinedError(Exception):
    """When a customer has less than an order costs."""


@monitor(group="stock")
def price(item: str, quantity: int) -> int:
    return PRICES[item] * quantity


@monitor(group="stock")
async def reserve(basket: dict[str, int]) -> int:
    await asyncio.sleep(RANDOM.expovariate(1 / 0.004))
    return sum(price(item, quantity) for item, quantity in basket.items())


@monitor(group="payment")
async def authorise(customer: str, amount: int, *, card: str) -> str:  # noqa: ARG001 - masked on the tape
    await asyncio.sleep(RANDOM.expovariate(1 / 0.012))
    if amount > 60:
        raise PaymentDeclinedError(f"{customer} has less than {amount}")
    return f"A-{RANDOM.randrange(10_000, 99_999)}"


@monitor(group="payment")
async def pay(customer: str, amount: int, *, card: str = "4111 1111 1111 1111") -> dict[str, object]:
    return {"customer": customer, "paid": amount, "authorisation": await authorise(customer, amount, card=card)}


@monitor(group="orders")
async def place(customer: str, basket: dict[str, int]) -> dict[str, object]:
    return await pay(customer, await reserve(basket))


def basket() -> dict[str, int]:
    items = RANDOM.sample([*PRICES, "milk"], 2) if RANDOM.random() < 0.06 else RANDOM.sample(list(PRICES), 3)
    return {item: RANDOM.randrange(1, 9) for item in items}


async def main() -> None:
    """Twenty customers at a time, four hundred orders in all."""
    for first in range(0, 400, 20):
        orders = [place(f"customer {number % 37}", basket()) for number in range(first, first + 20)]
        await asyncio.gather(*orders, return_exceptions=True)


if __name__ == "__main__":
    # Imported under its own name, so that the tape says `shop.place` and not `__main__.place`.
    import shop

    asyncio.run(shop.main())

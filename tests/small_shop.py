"""A small shop whose calls the tests of reading look for, as a program text."""

# Nine calls: three orders that each check and charge, of which the third fails in charge.
PROGRAM = """
import sys
from calltape import current, flush, monitor, start

class PaymentError(Exception):
    pass

@monitor(name="shop.check", group="stock")
def check(order, strict=True):
    return order["n"] > 0

@monitor(name="shop.charge", group="billing")
def charge(order):
    if order["id"] == 3:
        try:
            {}["card"]
        except KeyError as error:
            raise PaymentError("no card for order 3") from error
    return {"paid": order["n"] * 5}

@monitor(name="shop.place")
def place(order, *, dry_run=False):
    current().set("customer", order["id"] * 7)
    check(order)
    return charge(order)

for id in (1, 2, 3):
    try:
        place({"id": id, "n": id})
    except PaymentError:
        pass
"""

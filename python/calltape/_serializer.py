"""The capture as a tool: any value to bounded JSON text, without a tape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import Any

from calltape import _native
from calltape._options import budget, name_rules, nanoseconds, repr_budget

__all__ = ["SmartSerializer"]


@dataclass(frozen=True, slots=True)
class SmartSerializer:
    """Turn any value into short JSON text, as the tape shows it: bounded, secrets masked, none of its code run.

    A serializer holds no state between calls: make one, use it from any thread, also inside monitored calls and where
    nothing is recorded. Equal serializers are made of equal arguments; they can be copied and pickled.

    >>> SmartSerializer().serialize({"user": "ann", "password": "x", "ids": range(3)})
    '{"user":"ann","password":"***","ids":"range(0, 3)"}'
    >>> SmartSerializer().serialize(list(range(10_000_000)))
    '"[list with 10000000 items]"'

    Args:
        max_repr: bytes of UTF-8 that the text has at most, from 16; so it has no more characters either.
        sensitive_fields: changes to the usual names whose values are withheld, in order: ``["badge", "*pin"]`` adds,
            ``"-token"`` takes one away, ``"-*"`` all usual ones. Case and separators do not matter.
        max_items: items kept of one container; a larger one at the top is only summarised.
        max_depth: levels of containers and objects that are entered, up to 32.
        max_attributes: attributes kept of one object.
        max_capture_time: seconds after which what is left is only named.
        repr: show objects that are not plain data by their own ``repr()``, which then runs.

    Raises:
        ValueError: an argument has a value that cannot be used; the message names it.
    """

    max_repr: int = 1000
    sensitive_fields: Iterable[str] | None = None
    _: KW_ONLY
    max_items: int = 64
    max_depth: int = 6
    max_attributes: int = 20
    max_capture_time: float = 0.001
    repr: bool = False
    _serializer: _native.Serializer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        caller = "SmartSerializer"
        rules = name_rules(caller, self.sensitive_fields)
        if not isinstance(self.repr, bool):
            raise ValueError(f"{caller}: repr must be True or False, not {self.repr!r}")
        policy: dict[str, Any] = {
            "max_repr": repr_budget(caller, self.max_repr),
            "max_call_bytes": None,
            "max_capture_ns": nanoseconds(f"{caller}: max_capture_time", self.max_capture_time),
            "runs_repr": self.repr,
            "locals": False,
            "sensitive_fields": rules,
        }
        for key in ("max_items", "max_depth", "max_attributes"):
            policy[key] = budget(f"{caller}: {key}", key, getattr(self, key))
        # A frozen object is filled this way; a tuple cannot be changed later, and has a hash.
        object.__setattr__(self, "sensitive_fields", None if self.sensitive_fields is None else tuple(rules))
        object.__setattr__(self, "_serializer", _native.Serializer(policy))

    def serialize(self, value: object) -> str:
        """The value as JSON text of at most ``max_repr`` bytes. Never raises for a value, whatever it is.

        What was left out is said, with its real size: ``"abc... [1048576 chars]"``, ``[1, 2, "... 98 more"]``. Python's
        plain data reads as JSON's; NaN and infinities as the texts ``"nan"``, ``"inf"``, ``"-inf"``; a lone surrogate
        in a text as its escape, ``"\\ud800"``, so that the result can always be encoded; an object as its fields,
        ``{"__class__":"Order","id":1}``; what has none, as its type's name, ``"[Portfolio]"``.
        """
        return self._serializer.serialize(value)

    def __reduce__(self) -> tuple[Any, ...]:
        given = {part.name: getattr(self, part.name) for part in fields(self) if part.init}
        return (_made, (type(self), given))


def _made(kind: type[SmartSerializer], arguments: dict[str, Any]) -> SmartSerializer:
    """A serializer as it was pickled."""
    return kind(**arguments)

"""No network and no assets, while a plugin is tried."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch

from widemargin.contracts.places import where_called

__all__ = ["Asked", "blocked_network", "empty_data_home", "offline"]


class Asked(NamedTuple):
    """What was asked for, and which line of the plugin's code did so, if one."""

    host: str
    where: str


@contextmanager
def empty_data_home() -> Iterator[None]:
    """Let data sets and weights be looked for where there are none."""
    with TemporaryDirectory() as home, patch.dict(os.environ, WIDEMARGIN_HOME=home):
        yield


@contextmanager
def blocked_network(packages: Collection[str] = ()) -> Iterator[list[Asked]]:
    """Refuse every connection and look-up of a host; yield the list of those asked for."""
    asked: list[Asked] = []
    connect = socket.socket.connect

    def refuse(*address: Any, **options: Any) -> Any:
        asked.append(Asked(str(address[0] if address else options), where_called(packages)))
        raise OSError("the network is blocked while this is checked")

    def connect_locally(self: socket.socket, address: Any) -> Any:
        # A socket that is a file is how processes of one machine talk.
        if self.family in (socket.AF_INET, socket.AF_INET6):
            refuse(address)
        return connect(self, address)

    with (
        patch.object(socket.socket, "connect", connect_locally),
        patch.object(socket.socket, "connect_ex", connect_locally),
        patch.object(socket, "getaddrinfo", refuse),
    ):
        yield asked


@contextmanager
def offline(packages: Collection[str], refuse: Callable[[Asked], Exception]) -> Iterator[None]:
    """Block the network; raise what `refuse` makes of whatever was asked for.

    Who catches what comes of asking, and goes on, asked all the same.
    """
    with blocked_network(packages) as asked:
        try:
            yield
        except Exception as error:
            if asked:
                raise refuse(asked[0]) from error
            raise
    if asked:
        raise refuse(asked[0])

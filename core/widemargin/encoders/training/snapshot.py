"""The whole state of training at the end of an epoch, as arrays and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from widemargin.contracts import State
from widemargin.encoders.training.arrays import array_of
from widemargin.encoders.training.history import History

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Snapshots"]


class Snapshots:
    """Takes and puts back all that training depends on, in place.

    Random numbers are not among it: every epoch begins its own (`loop`). Nor are parameters that
    do not learn.

    Parameters
    ----------
    network : torch.nn.Module
        What is trained.
    head : torch.nn.Module or None
        The last layer, where there is one.
    learning : sequence of parameter
        Those of the network that learn.
    optimizer : torch.optim.Optimizer
        Its parameters' moments.
    """

    def __init__(self, network: Any, head: Any, learning: Sequence[Any], optimizer: Any) -> None:
        self._network, self._head, self._optimizer = network, head, optimizer
        self._frozen = {id(own) for own in network.parameters()} - {id(own) for own in learning}

    def take(self, history: History, best: Mapping[str, NDArray[Any]]) -> State:
        """Return the state as it is now."""
        arrays = {f"now/{name}": array_of(own) for name, own in self._changing().items()}
        arrays |= {f"best/{name}": own for name, own in best.items()}
        for place, own in self._optimizer.state_dict()["state"].items():
            arrays |= {f"moments/{place}/{name}": array_of(value) for name, value in own.items()}
        return State(arrays, {"history": history.to_data()})

    def put_back(self, state: State) -> tuple[History, dict[str, NDArray[Any]]]:
        """Make everything as it was; return the history and the best epoch's weights."""
        torch: Any = import_module("torch")
        kept: dict[str, dict[str, Any]] = {"now": {}, "best": {}, "moments": {}}
        for name, own in state.arrays.items():
            part, _, rest = name.partition("/")
            kept[part][rest] = own
        # In place: a convolution's weights keep their order in memory, on which the last bit of a
        # sum may depend. So do the moments, which torch would else take as they come.
        with torch.no_grad():
            for name, own in self._changing().items():
                own.copy_(torch.from_numpy(kept["now"][name].copy()))
        parameters = [own for group in self._optimizer.param_groups for own in group["params"]]
        moments: dict[int, dict[str, Any]] = {}
        for path, own in kept["moments"].items():
            place, _, name = path.partition("/")
            like = parameters[int(place)]
            value = torch.from_numpy(own.copy()).reshape(own.shape)
            if value.shape == like.shape and value.ndim:
                value = torch.empty_like(like, requires_grad=False).copy_(value)
            moments.setdefault(int(place), {})[name] = value
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": moments, "param_groups": groups})
        return History.from_data(state.meta["history"]), kept["best"]

    def weights(self) -> dict[str, NDArray[Any]]:
        """Return what training has made of the network so far, without the last layer."""
        return {name: array_of(own) for name, own in self._of_network().items()}

    def use(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Give the network weights that `weights` returned."""
        torch: Any = import_module("torch")
        with torch.no_grad():
            for name, own in self._of_network().items():
                own.copy_(torch.from_numpy(weights[name].copy()))

    def _of_network(self) -> dict[str, Any]:
        state = self._network.state_dict(keep_vars=True)
        return {
            f"network/{name}": own for name, own in state.items() if id(own) not in self._frozen
        }

    def _changing(self) -> dict[str, Any]:
        head = {} if self._head is None else self._head.state_dict(keep_vars=True)
        return {**self._of_network(), **{f"head/{name}": own for name, own in head.items()}}

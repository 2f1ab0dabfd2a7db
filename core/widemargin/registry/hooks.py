"""The hooks of one plugin: which it implements, and whether they return what they should."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import pluggy

from widemargin import hookspecs
from widemargin.contracts import Command, EncoderSpec, Kernel, Metric, UseCase
from widemargin.contracts.places import where_defined
from widemargin.errors import PluginError, nearest

__all__ = ["HOOKS", "new_manager", "offers_of"]

T = TypeVar("T")

HOOKS: dict[str, tuple[str, type[Any]]] = {
    "register_use_cases": ("use_cases", UseCase),
    "register_encoders": ("encoders", EncoderSpec),
    "register_kernels": ("kernels", Kernel),
    "register_metrics": ("metrics", Metric),
    "register_commands": ("commands", Command),
}
"""What each hook registers, and of which type."""

# What pluggy fills in; it leaves alone what has a default.
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def new_manager() -> pluggy.PluginManager:
    """Return a manager that knows our hooks and no plugin."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


def offers_of(module: Any, name: str) -> dict[str, tuple[Any, ...]]:
    """Collect what one plugin offers, checked."""
    manager = new_manager()
    try:
        manager.register(module, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise _misfit(module, str(error)) from error
    if not any(caller.get_hookimpls() for caller in vars(manager.hook).values()):
        raise PluginError(
            "implements no hook. Mark a function with @widemargin.hookimpl; the hooks are "
            f"{', '.join(_hook_names())}.",
            str(getattr(module, "__file__", None) or ""),
        )
    offered: dict[str, tuple[Any, ...]] = {}
    for hook, (kind, wanted) in HOOKS.items():
        # Called without pluggy, which would take a forgotten `return` for nothing to register.
        offered[kind] = tuple(
            item
            for implementation in getattr(manager.hook, hook).get_hookimpls()
            for item in _check_items(implementation.function, hook, wanted)
        )
    return offered


def _check_items(ask: Callable[[], Any], hook: str, wanted: type[T]) -> tuple[T, ...]:
    returned = ask()
    if not isinstance(returned, list | tuple):
        raise PluginError(
            f"{hook} returned {_what(returned)}; it must return a list, as in "
            f"`return [{wanted.__name__}(...)]`.",
            where_defined(ask),
        )
    for item in returned:
        if not isinstance(item, wanted):
            raise PluginError(
                f"{hook} returned a list with {_what(item)} in it; each item must be of the type "
                f"widemargin.{wanted.__name__}.",
                where_defined(ask),
            )
    names = [getattr(item, "name", "") for item in returned]
    for repeated in {name for name in names if names.count(name) > 1}:
        raise PluginError(
            f"{hook} returned {repeated!r} twice; rename one of them.", where_defined(ask)
        )
    return tuple(returned)


def _hook_names() -> list[str]:
    return [name for name in vars(hookspecs) if name.startswith(("register_", "run_"))]


def _misfit(module: Any, message: str) -> PluginError:
    """Explain what pluggy refuses."""
    hooks = _hook_names()
    for name in vars(module):
        function = getattr(module, name)
        if not hasattr(function, "widemargin_impl"):
            continue
        if name not in hooks:
            said = f"{name!r} is no hook.{nearest(name, hooks)} The hooks are {', '.join(hooks)}."
            return PluginError(said, where_defined(function))
        taken = list(inspect.signature(getattr(hookspecs, name)).parameters)
        for given in inspect.signature(function).parameters.values():
            wanted = given.default is given.empty and given.kind in _POSITIONAL
            if wanted and given.name not in taken:
                said = f"{name} is given no {given.name!r}.{nearest(given.name, taken)} Its "
                said += f"arguments are {', '.join(taken)}." if taken else "parentheses stay empty."
                return PluginError(said, where_defined(function))
    return PluginError(" ".join(message.split()))


def _what(value: Any) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"

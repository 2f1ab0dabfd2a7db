"""The registry: what is installed, broken plugins kept apart."""

from widemargin.registry.discovery import discover
from widemargin.registry.installed import Broken, Plugin, Registry

__all__ = ["Broken", "Plugin", "Registry", "discover"]

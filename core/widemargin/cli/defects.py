"""What the command line says of an error that nobody raised on purpose."""

from __future__ import annotations

from widemargin.contracts.places import asks_network, last_raised, plugin_packages

__all__ = ["wording"]

_NETWORK = (
    "It asked for the network by itself. A loader declares the files that it needs as `assets`, "
    "and brings what no hash can pin in `fetch`."
)


def wording(error: BaseException) -> str:
    """Name the error, and the plugin's line that it came from where it came from one."""
    said = f"Error: {type(error).__name__}: {error}".removesuffix(": ")
    plugins = plugin_packages()
    raised = last_raised(error, plugins)
    if raised is None:
        return (
            f"{said}\nThis is a defect of widemargin or of a plugin, not of your input. "
            "Run the command again with --debug to see where it happened."
        )
    plugin = f"the plugin {plugins[raised.package]!r}"
    whose = (
        f"This is no fault of your input, but a defect of widemargin or of {plugin}, which asked "
        f"for it in {raised.place}."
        if raised.within_ours
        else f"This is a defect of {plugin}, not of your input: {raised.place}."
    )
    return "\n".join(
        [
            said,
            whose,
            *([_NETWORK] if asks_network(error) else []),
            "Run the command again with --debug to see the traceback.",
        ]
    )

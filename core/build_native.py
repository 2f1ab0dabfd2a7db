"""Hatch's build hook: compiles ``widemargin/native`` into one plain shared library.

The library is loaded with ctypes, so one wheel a platform serves every Python. Where it cannot be
compiled the wheel is a pure one, and widemargin runs on scikit-learn's solvers; pip hides what a
hook says, so ``widemargin.native.reason`` says so at run time. ``WIDEMARGIN_BUILD_NATIVE=1``
makes a failure stop the installation, ``0`` compiles nothing.

``python core/build_native.py`` compiles in place, after a change of the C sources.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["NativeBuildHook", "compile_library", "library_name", "wheel_tag"]

_NATIVE = "widemargin/native"
# No -march: the library asks the processor at run time. Contracting to fused operations is allowed
# because no result may depend on the last bit.
_FLAGS = [
    *("-std=gnu11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"),
    # Python's own flags ask for debugging symbols, two thirds of the file.
    *("-fPIC", "-fvisibility=hidden", "-g0"),
]
_FLAGS_OF_MSVC = ["/O2", "/std:c11"]


class NativeBuildHook(BuildHookInterface[Any]):
    """Puts the library into a wheel, or beside its sources where the install is editable."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell hatch what the wheel holds now."""
        wish = os.environ.get("WIDEMARGIN_BUILD_NATIVE")
        sources = Path(self.root) / "core" / _NATIVE
        try:
            if version == "editable":
                # An old library must not outlive a failure: the sources have moved on.
                (sources / library_name()).unlink(missing_ok=True)
            if wish == "0":
                return
            if version == "editable":
                compile_library(sources, sources)
                return
            self._folder = tempfile.TemporaryDirectory()
            library = compile_library(sources, Path(self._folder.name))
        except Exception as error:  # whatever it is, the install can do without
            if wish == "1":
                raise
            self.app.display_warning(
                f"The native engine was not built: {error}. widemargin will run on scikit-learn's."
            )
        else:
            build_data["pure_python"] = False
            build_data["tag"] = wheel_tag()
            build_data["force_include"][str(library)] = f"{_NATIVE}/{library.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what the wheel has taken in."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()


def library_name() -> str:
    """Return the library's file name on this platform."""
    suffix = {"win32": ".dll", "cygwin": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
    return f"_widemargin{suffix}"


def wheel_tag() -> str:
    """Return the tag of a wheel for every Python on this platform."""
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    if sys.maxsize < 2**32:
        # A 32-bit Python under a 64-bit kernel; its pip takes the 32-bit wheels only.
        narrow = {"linux_x86_64": "linux_i686", "linux_aarch64": "linux_armv7l"}
        platform = narrow.get(platform, platform)
    return f"py3-none-{platform}"


def compile_library(sources: Path, target: Path) -> Path:
    """Compile ``widemargin.c``, with the headers beside it, into a library in the folder `target`.

    The compiler is the one that Python's own extensions would take: ``CC`` names another.
    """
    import_module("setuptools")  # provides distutils, which Python itself has no more since 3.12
    compiler = import_module("distutils.ccompiler").new_compiler()
    import_module("distutils.sysconfig").customize_compiler(compiler)
    msvc = compiler.compiler_type == "msvc"
    # Made within the target and moved there: a process that has the old library open keeps it.
    with tempfile.TemporaryDirectory(dir=target) as folder:
        objects = compiler.compile(
            [str(sources / "widemargin.c")],
            output_dir=folder,
            extra_postargs=_FLAGS_OF_MSVC if msvc else _FLAGS,
        )
        made = Path(folder) / library_name()
        compiler.link_shared_object(objects, str(made), libraries=[] if msvc else ["m"])
        return made.replace(target / made.name)


if __name__ == "__main__":
    here = Path(__file__).parent / _NATIVE
    sys.stdout.write(f"{compile_library(here, here)}\n")

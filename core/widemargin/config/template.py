"""A config to start from: every setting with its default and its help, as commented YAML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from itertools import groupby

from widemargin.config.describe import Setting, describe
from widemargin.config.scalars import inline
from widemargin.contracts import EncoderSpec, Kernel, UseCase

__all__ = ["template"]

_WIDTH = 96
_HEAD = """\
Config of the use case {name}: {summary}
Every setting stands here with its default, so that this file changes nothing until you edit it; \
delete what you do not need. Check it with `widemargin config check FILE`, run it with \
`widemargin run FILE`."""


def template(
    use_case: UseCase,
    encoders: Mapping[str, EncoderSpec],
    kernels: Mapping[str, Kernel],
) -> str:
    """Write a use case's default config as YAML with comments.

    Parameters
    ----------
    use_case : UseCase
        Settings that it requires stand as comments to be filled in.
    encoders, kernels : mapping
        What is installed, by name.

    Returns
    -------
    str
        YAML that resolves to the default config, once required settings are filled in.
    """
    lines = list(_comment(_HEAD.format(name=use_case.name, summary=use_case.summary), ""))
    settings = describe(use_case, encoders, kernels)
    for section, group in groupby(settings, key=lambda setting: setting.path.partition(".")[0]):
        lines.append("")
        if section not in ("use_case", "seed"):
            lines.append(f"{section}:")
        lines += _section(list(group))
    return "\n".join(lines) + "\n"


def _section(settings: list[Setting]) -> Iterator[str]:
    usual = settings[0].of
    opened = settings[0].section
    for of, group in groupby(settings, key=lambda setting: setting.of):
        members = list(group)
        if of == usual:
            for setting in members:
                # A section within a section has a line of its own.
                if setting.section not in ("", opened):
                    yield f"{_indent(setting.section)}{setting.section.rpartition('.')[2]}:"
                opened = setting.section
                yield from _active(setting)
        elif members[0].section == "data":
            yield ""
            yield f"  # Or, in place of the settings above, data from source {of}:"
            for setting in members:
                yield from _choice(setting, "    ")
        else:
            yield ""
            first = next((one for one in members if not one.required), members[0])
            example = {"name": of, first.path.rpartition(".")[2]: first.value}
            yield from _comment(f"Settings of the encoder {of} stand beside its name:", "  ")
            yield f"  #     encoder: {inline(example)}"
            for setting in members:
                yield from _choice(setting, "    ")


def _indent(path: str) -> str:
    return "  " * path.count(".")


def _active(setting: Setting) -> Iterator[str]:
    indent = _indent(setting.path)
    key = setting.path.rpartition(".")[2]
    yield from _comment(_words(setting), indent)
    if setting.required:
        yield f"{indent}# {key}:"
    else:
        yield f"{indent}{key}: {setting.default}"


def _choice(setting: Setting, inner: str) -> Iterator[str]:
    key = setting.path.rpartition(".")[2]
    yield f"  # {inner}{key}:{'' if setting.required else ' ' + setting.default}"
    yield from _comment(_words(setting), "  ", inner + "    ")


def _words(setting: Setting) -> str:
    words = f"{setting.help} ({setting.takes})" if setting.help else setting.takes
    return words + ("; required: fill it in and remove the '#'" if setting.required else "")


def _comment(text: str, indent: str, inner: str = "") -> Iterator[str]:
    mark = f"{indent}# {inner}"
    for paragraph in text.split("\n"):
        yield from (
            mark + line
            for line in textwrap.wrap(paragraph, _WIDTH - len(mark), break_on_hyphens=False)
        )

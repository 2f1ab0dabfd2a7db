"""Scalars of YAML 1.2: which plain words are numbers, and how values are written."""

from __future__ import annotations

import re
from typing import Any

import yaml

__all__ = ["inline", "parse_scalar", "to_yaml"]

_NULL = re.compile(r"(?:null|Null|NULL|~|)\Z")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INT = re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z")
_FLOAT = re.compile(
    r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
)
_LONGEST_NUMBER = 400  # Python refuses to read a whole number of thousands of digits


def parse_scalar(text: str) -> Any:
    """Read an unquoted word by the core schema of YAML 1.2.

    Parameters
    ----------
    text : str
        The word, without quotes and without white space around it.

    Returns
    -------
    None, bool, int, float or str
        What it means; a word that is nothing else is text.

    Examples
    --------
    >>> [parse_scalar(word) for word in ["1e-3", "0o17", "no", "true", "~", "2024-01-31"]]
    [0.001, 15, 'no', True, None, '2024-01-31']
    """
    if _NULL.match(text):
        return None
    if _BOOL.match(text):
        return text.lower() == "true"
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INT.match(text):
        bases = {"0o": 8, "0x": 16}
        return int(text[2:], bases[text[:2]]) if text[:2] in bases else int(text)
    if _FLOAT.match(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


class _Dumper(yaml.SafeDumper):
    """Quotes whatever text YAML 1.1 or YAML 1.2 would read as something else."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Write text; PyYAML would fold the rarer line breaks of an unquoted one."""
        style = '"' if any(character in data for character in "\x85\u2028\u2029") else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    def represent_sequence(
        self, tag: str, sequence: Any, flow_style: bool | None = None
    ) -> yaml.SequenceNode:
        """Write a list of words and numbers on one line."""
        flat = not any(isinstance(item, list | dict) for item in sequence)
        return super().represent_sequence(tag, sequence, flow_style=flat or flow_style)


_Dumper.add_representer(str, _Dumper.represent_str)
for _tag, _pattern in (("int", _INT), ("float", _FLOAT)):
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, list("-+.0123456789"))


def to_yaml(values: Any) -> str:
    """Write plain values as YAML that reads back as the same values.

    Examples
    --------
    >>> print(to_yaml({"svm": {"C": [1.0, 10.0], "kernel": "1e3"}}), end="")
    svm:
      C: [1.0, 10.0]
      kernel: '1e3'
    """
    text: str = yaml.dump(
        values,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=88,
    )
    return text


def inline(value: Any) -> str:
    """Write one plain value on one line, as it would stand behind a key.

    Examples
    --------
    >>> [inline(value) for value in ("auto", "1", None, [1, 2], {"name": "tfidf"})]
    ['auto', "'1'", 'null', '[1, 2]', '{name: tfidf}']
    """
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=True,
        width=2**31,
    )
    return text.removesuffix("...\n").strip()

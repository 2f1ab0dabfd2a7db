"""Configs: YAML and overrides in, one typed `RunConfig` out, or every problem at once."""

from widemargin.config.describe import Setting, describe
from widemargin.config.document import Document, read
from widemargin.config.overrides import parse_overrides
from widemargin.config.resolve import resolve
from widemargin.config.schema import RunConfig, dump_yaml
from widemargin.config.template import template

__all__ = [
    "Document",
    "RunConfig",
    "Setting",
    "describe",
    "dump_yaml",
    "parse_overrides",
    "read",
    "resolve",
    "template",
]

"""The kit: a new plugin's project, written from templates."""

from widemargin.kit.kinds import KINDS, KitKind
from widemargin.kit.project import new_project

__all__ = ["KINDS", "KitKind", "new_project"]

"""``python -m widemargin`` is ``widemargin``."""

from widemargin.cli.main import main

main()

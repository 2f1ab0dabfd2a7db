"""``python -m widemargin`` is ``widemargin``."""

from widemargin.cli.entry import main

if __name__ == "__main__":
    main()

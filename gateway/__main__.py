"""``python -m gateway`` is ``sceau``."""

from gateway.cli import main

if __name__ == "__main__":
    main(prog_name="sceau")

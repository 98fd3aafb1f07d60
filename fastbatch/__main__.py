"""`python -m fastbatch` is `fastbatch`."""

from fastbatch.cli.main import main

if __name__ == "__main__":
    main(prog_name="fastbatch")

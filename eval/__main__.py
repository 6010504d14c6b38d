"""`python -m eval run SUITE --out DIR`."""

from simulator.cli import eval_app

if __name__ == "__main__":
    eval_app()

"""`python -m misc_lab.demo --out DIR`."""

from misc_lab.demo.cli import app

app(prog_name="python -m misc_lab.demo")

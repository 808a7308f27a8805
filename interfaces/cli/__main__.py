"""`python -m interfaces.cli`: the same as `day2`."""

from interfaces.cli import main

main()

"""Let `python -m tallystick` be the command line."""

from tallystick.app import main

main()

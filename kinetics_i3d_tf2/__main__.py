"""`python -m kinetics_i3d_tf2`: the command `i3d`."""

from .cli.main import main

if __name__ == "__main__":
    main()

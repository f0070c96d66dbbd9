"""`python -m airside`: the command line, for the processes that Airside starts itself."""

from airside.client.cli.main import main

if __name__ == "__main__":
    main()

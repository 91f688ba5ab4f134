"""The command line `gdpr`: the same code that the functions run, for a person at a terminal."""

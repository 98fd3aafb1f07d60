"""The command line: a file for each verb, one place where errors become messages and exit codes."""

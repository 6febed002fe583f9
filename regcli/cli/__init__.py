"""The command line: options, commands and the error boundary."""

"""Scorers that work without regcli: a rule in the languages of others."""

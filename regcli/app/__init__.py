"""Use cases, one function each: no flags, no printing."""

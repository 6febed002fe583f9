"""How it is minimised: one walk over the strengths, and the engines behind it."""

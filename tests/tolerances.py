"""The tolerances of the tests, by what they compare."""

#: The same arithmetic in another order.
EXACT = 1e-12
#: Two solutions of one problem, each solved as far as it can be.
SOLVED = 1e-8
#: Numbers of other software.
REFERENCE = 1e-6
#: What engines are asked for where their solutions are compared.
TIGHT = 1e-11

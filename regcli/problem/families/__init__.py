"""Families by name. A new one is a file and a line here."""

from types import MappingProxyType

from regcli.problem.families.binomial import Binomial
from regcli.problem.families.gaussian import Gaussian
from regcli.problem.families.poisson import Poisson
from regcli.problem.protocols import Family

__all__ = ["FAMILIES"]

FAMILIES: MappingProxyType[str, Family] = MappingProxyType(
    {family.name: family for family in (Gaussian(), Binomial(), Poisson())}
)

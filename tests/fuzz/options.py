"""Random options that are right for a table."""

from dataclasses import dataclass, field
from random import Random

from tests.fuzz.tables import Table

__all__ = ["Asked", "ask"]

METRICS = {
    "gaussian": ("deviance", "mse", "rmse", "mae", "r2"),
    "binomial": ("deviance", "logloss", "brier", "accuracy"),
}


@dataclass
class Asked:
    """The words after the file, and what damages need to know of them."""

    command: str
    words: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    declared: list[str] = field(default_factory=list)
    family_given: bool = False
    model_out: bool = False
    form: str = "json"
    tol: float = 1e-7
    may_miss: bool = False

    def add(self, *words: str) -> None:
        self.words += words


def ask(rng: Random, table: Table) -> Asked:
    """Ask for something that can be done with the table."""
    asked = Asked(rng.choice(("fit", "fit", "cv", "path")))
    asked.add("--target", table.target, *table.dialect())
    asked.family_given = rng.random() < 0.6 or table.kinds[table.target] != "target"
    if asked.family_given:
        asked.add("--family", table.family)
    _columns(rng, table, asked)
    _model(rng, table, asked)
    several = _penalty(rng, table, asked)
    if asked.command != "path":
        _choice(rng, table, asked, several=several)
        _save(rng, table, asked)
    _run(rng, asked)
    _cells(rng, table, asked)
    return asked


def _columns(rng: Random, table: Table, asked: Asked) -> None:
    for role in ("weights", "offset", "id"):
        name = table.one(role)
        if name is not None:
            asked.add(f"--{role}", name)
    fold = table.one("fold")
    if fold is not None:  # path has no folds; for it this is a category like any other
        asked.add(*(("--drop", fold) if asked.command == "path" else ("--fold-column", fold)))
    features = table.named("number", "category", "boolean", "constant")
    numbers = table.named("number")
    asked.used = [name for name in table.columns if name in features]
    if rng.random() < 0.2:
        out = rng.choice(numbers[1:])
        asked.add("--drop", out)
        asked.used.remove(out)
    elif rng.random() < 0.2:
        asked.used = [name for name in asked.used if name == numbers[0] or rng.random() < 0.7]
        for name in rng.sample(asked.used, len(asked.used)):
            asked.add("--features", name)
    asked.declared = [name for name in asked.used if table.kinds[name] == "category" and rng.random() < 0.3]
    for name in asked.declared:
        asked.add("--categorical", name)


def _model(rng: Random, table: Table, asked: Asked) -> None:
    if rng.random() < 0.15:
        asked.add("--no-intercept")
    if rng.random() < 0.2:
        asked.add(*rng.choice((("--standardize", "numeric"), ("--standardize", "none"), ("--no-standardize",))))
    if table.classes is None:
        return
    if rng.random() < 0.3:
        asked.add("--positive-class", rng.choice(table.classes))
    if rng.random() < 0.2:
        asked.add("--class-weight", rng.choice(("balanced", f"{table.classes[0]}=2.5")))


def _spread(table: Table) -> float:
    """About the largest strength that leaves a coefficient: the target's sd, or one half."""
    if table.family == "binomial":
        return 0.5
    values = [float(cell) for cell in table.columns[table.target]]
    mean = sum(values) / len(values)
    return (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5


def _penalty(rng: Random, table: Table, asked: Asked) -> bool:
    """Add penalty and strengths; tell whether there are several strengths."""
    terms = sum(5 if table.kinds[name] == "category" else 1 for name in asked.used)
    names = ["l1", "l2", "elasticnet", "lasso", "ridge", None]
    if table.family == "gaussian" and table.rows > 2 * terms + 10:
        names += ["none", "ols"]
    penalty = rng.choice(names)
    asked.add(*(("--penalty", penalty) if penalty else ()))
    _limits(rng, asked)
    if penalty in {"none", "ols"}:
        return False
    if penalty == "elasticnet" and rng.random() < 0.7:
        asked.add("--l1-ratio", rng.choice(("0", "0.05", "0.5", "0.9", "1")))
    factors = rng.random() < 0.25
    if factors:
        asked.add("--penalty-factor", f"{rng.choice(asked.used)}={rng.choice(('0.5', '2', '10'))}")
    if rng.random() < 0.15 and (table.family == "gaussian" or factors):
        asked.add("--compat", "glmnet")
    unit = _spread(table)
    kind = rng.choice(("one", "list", "grid", "grid"))
    if kind == "one":
        asked.add("--lambda", repr(unit * rng.choice((0.003, 0.05, 0.3, 2.0))))
    elif kind == "list":
        asked.add("-l", ",".join(repr(unit * share) for share in rng.sample((0.003, 0.02, 0.1, 0.4, 1.0), 3)))
    else:
        asked.add("--n-lambdas", str(rng.randint(3, 15)))
        asked.add(*(("--lambda-min-ratio", "0.01") if rng.random() < 0.8 else ()))
    return kind != "one"


def _limits(rng: Random, asked: Asked) -> None:
    if rng.random() < 0.1:
        asked.add("--nonnegative")
    elif rng.random() < 0.15:
        asked.add("--lower", f"{rng.choice(asked.used)}=-0.25")
        asked.add("--upper", "*=1.5")


def _choice(rng: Random, table: Table, asked: Asked, *, several: bool) -> None:
    validated = several or asked.command == "cv" or table.one("fold") is not None
    if validated and table.one("fold") is None:
        asked.add(*(("--folds", str(rng.randint(3, 5))) if rng.random() < 0.8 else ()))
        if rng.random() < 0.3:
            asked.add("--cv", "stratified" if table.family == "binomial" else "kfold")
    if validated and rng.random() < 0.4:
        asked.add("--metric", rng.choice(METRICS[table.family]))
    if several:
        asked.add(*(("--rule", rng.choice(("min", "1se"))) if rng.random() < 0.4 else ()))
        asked.add(*(("--full-path",) if rng.random() < 0.2 else ()))
    if rng.random() < 0.15 and not table.named("category", "fold"):  # a level may end up in the test rows alone
        asked.add("--test-size", "0.2")


def _save(rng: Random, table: Table, asked: Asked) -> None:
    if rng.random() < 0.4:
        asked.model_out = True
        asked.add("--model-out", "model.json")
        asked.add(*(("--no-profile",) if rng.random() < 0.3 else ()))
    if rng.random() < 0.2:
        asked.add("--all-terms")
    if table.family == "binomial" and rng.random() < 0.2:
        asked.add("--threshold", rng.choice(("0", "0.3", "1")))


def _run(rng: Random, asked: Asked) -> None:
    asked.add("--jobs", rng.choice("12"))
    if rng.random() < 0.3:
        asked.add("--seed", str(rng.randrange(10**6)))
    if rng.random() < 0.2:
        asked.tol = rng.choice((1e-5, 1e-8))
        asked.add("--tol", repr(asked.tol))
    if rng.random() < 0.1:
        asked.add("--certify", "all")
    if rng.random() < 0.15:
        asked.form = rng.choice(("table", "csv", "md", "names", *(("jsonl",) if asked.command == "path" else ())))
    asked.add("--format", asked.form) if asked.form != "json" else asked.add("--json")


def _cells(rng: Random, table: Table, asked: Asked) -> None:
    """Leave cells empty where rows with missing cells are dropped: not in the first rows, which hold every level."""
    if rng.random() < 0.15 and "--test-size" not in asked.words:
        asked.may_miss = True
        asked.add("--missing", "drop")
        table.columns[rng.choice(asked.used)][-1 - rng.randrange(2)] = ""

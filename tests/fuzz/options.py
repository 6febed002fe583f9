"""Random options that are right for a table."""

from dataclasses import dataclass, field
from random import Random

from tests.fuzz.tables import Table

__all__ = ["Asked", "ask"]

NUMBERS = ("deviance", "mse", "rmse", "mae", "r2")
METRICS = {"gaussian": NUMBERS, "poisson": NUMBERS, "binomial": ("deviance", "logloss", "brier", "accuracy")}

CRITERIA = ("aic", "bic", "ebic")


@dataclass
class Asked:
    """The words after the file, and what damages need to know of them.

    ``scheme`` is how rows are held out, None where they are not. ``plain`` says that every column is used as it is:
    nothing filled, no powers, no products.
    """

    command: str
    words: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    declared: list[str] = field(default_factory=list)
    family_given: bool = False
    model_out: bool = False
    form: str = "json"
    tol: float = 1e-7
    may_miss: bool = False
    plain: bool = True
    several: bool = False
    scheme: str | None = None
    dropped: list[str] = field(default_factory=list)

    def add(self, *words: str) -> None:
        self.words += words


@dataclass(frozen=True)
class Penalised:
    """What the penalty leaves to choose from."""

    several: bool
    solvers: tuple[str, ...]


def ask(rng: Random, table: Table) -> Asked:
    """Ask for something that can be done with the table."""
    asked = Asked(rng.choice(("fit", "fit", "cv", "path")))
    asked.add("--target", table.target, *table.dialect())
    asked.family_given = rng.random() < 0.6 or table.kinds[table.target] != "target" or table.family == "poisson"
    if asked.family_given:
        asked.add("--family", table.family)
    _columns(rng, table, asked)
    factor = _recipe(rng, table, asked)
    _model(rng, table, asked)
    terms = factor * sum(5 if table.kinds[name] == "category" else 1 for name in asked.used)
    solvers = _penalty(rng, table, asked, terms)
    if asked.command != "path":
        _choice(rng, table, asked, terms)
        _save(rng, table, asked)
    if rng.random() < 0.25:
        asked.add("--solver", rng.choice(("auto", *solvers)))
    _run(rng, asked)
    _cells(rng, table, asked)
    return asked


def _columns(rng: Random, table: Table, asked: Asked) -> None:
    for role in ("weights", "offset", "exposure", "id"):
        name = table.one(role)
        if name is not None:
            asked.add(f"--{role}", name)
    if asked.command == "path":  # it has no folds; for it these are columns like any other
        asked.dropped += table.named("fold", "group", "time")
    else:
        asked.scheme = _scheme(rng, table, asked)
    for name in asked.dropped:
        asked.add("--drop", name)
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


def _scheme(rng: Random, table: Table, asked: Asked) -> str | None:
    """Use one of the columns that say how rows are held out, and drop the others."""
    options = {"fold": "--fold-column", "group": "--group", "time": "--order-by"}
    marks = table.named("fold", "group", "time")
    usable = [name for name in marks if table.kinds[name] != "time" or _begins_well(table, name)]
    chosen = rng.choice(usable) if usable and rng.random() < 0.8 else None
    asked.dropped += [name for name in marks if name != chosen]
    if chosen is None:
        return None
    asked.add(options[table.kinds[chosen]], chosen)
    return table.kinds[chosen]


def _begins_well(table: Table, time: str) -> bool:
    """Whether the rows before the first of three folds in time can be fitted on: they have two classes, two counts."""
    if table.family == "gaussian":
        return True
    times = [(float(cell), "") if cell.lstrip("-").isdigit() else (0.0, cell) for cell in table.columns[time]]
    first = sorted(range(table.rows), key=times.__getitem__)[: table.rows - 3 * (table.rows // 4)]
    cells = {
        table.columns[table.target][row] for row in first if row < table.rows - 1
    }  # the last row may weigh nothing
    return len(cells) > 1


def _recipe(rng: Random, table: Table, asked: Asked) -> int:
    """Powers and products; tell by how much they may multiply the terms."""
    factor = 1
    if rng.random() < 0.15 and any(_has_powers(table, name) for name in asked.used):
        degree = rng.randint(2, 3)
        asked.add("--poly", str(degree))
        factor *= degree
    if rng.random() < 0.15 and len(asked.used) > 1:
        pairs = ["*:*"] if rng.random() < 0.3 else [":".join(rng.sample(asked.used, 2)) for _ in range(2)]
        for pair in pairs:
            asked.add("--interactions", pair)
        factor *= 2 + 5 * len(asked.used)
    asked.plain = factor == 1
    return factor


def _has_powers(table: Table, name: str) -> bool:
    return table.kinds[name] == "number" and len(set(table.columns[name])) > 2


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
    if table.classes is not None:
        return 0.5
    values = [float(cell) for cell in table.columns[table.target]]
    mean = sum(values) / len(values)
    return (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5


def _penalty(rng: Random, table: Table, asked: Asked, terms: int) -> tuple[str, ...]:
    """Add penalty and strengths; tell which solvers can solve it."""
    gaussian = table.family == "gaussian"
    names = ["l1", "l2", "elasticnet", "lasso", "ridge", None]
    if gaussian and table.rows > 2 * terms + 10 and asked.scheme != "time":
        names += ["none", "ols"]
    penalty = rng.choice(names)
    asked.add(*(("--penalty", penalty) if penalty else ()))
    limited = _limits(rng, asked)
    solvers = ("moments", "lockstep") if gaussian else ("newton",)
    if penalty in {"none", "ols"}:
        return solvers if limited else ("direct", *solvers)
    if penalty in {"l2", "ridge"} and not limited and not {"--no-standardize", "none"} & set(asked.words):
        solvers = ("row-space", *solvers, *(("cg",) if gaussian else ()))
    if penalty == "elasticnet" and rng.random() < 0.7:
        asked.several = asked.command != "path" and rng.random() < 0.4
        ratios = ("0", "0.05", "0.5", "0.9", "1")
        asked.add("--l1-ratio", ",".join(rng.sample(ratios, 2 if asked.several else 1)))
    factors = rng.random() < 0.25
    if factors:
        asked.add("--penalty-factor", f"{rng.choice(asked.used)}={rng.choice(('0.5', '2', '10'))}")
    if rng.random() < 0.15 and (gaussian or factors):
        asked.add("--compat", "glmnet")
    _strengths(rng, table, asked)
    return solvers


def _strengths(rng: Random, table: Table, asked: Asked) -> None:
    unit = _spread(table)
    kind = rng.choice(("one", "list", "grid", "grid"))
    if kind == "one":
        asked.add("--lambda", repr(unit * rng.choice((0.003, 0.05, 0.3, 2.0))))
        return
    asked.several = True
    if kind == "list":
        asked.add("-l", ",".join(repr(unit * share) for share in rng.sample((0.003, 0.02, 0.1, 0.4, 1.0), 3)))
    else:
        asked.add("--n-lambdas", str(rng.randint(3, 15)))
        asked.add(*(("--lambda-min-ratio", "0.01") if rng.random() < 0.8 else ()))


def _limits(rng: Random, asked: Asked) -> bool:
    """Perhaps limits; tell whether there are any."""
    if rng.random() < 0.1:
        asked.add("--nonnegative")
    elif rng.random() < 0.15:
        asked.add("--lower", f"{rng.choice(asked.used)}=-0.25")
        asked.add("--upper", "*=1.5")
    else:
        return False
    return True


def _choice(rng: Random, table: Table, asked: Asked, terms: int) -> None:
    """How rows are held out, and what chooses."""
    rule = rng.choice(("min", "1se", *CRITERIA)) if asked.several and rng.random() < 0.5 else None
    if rule in CRITERIA and table.rows < 2 * terms + 10:  # all strengths may take too many degrees of freedom
        rule = "min"
    if rule == "1se" and "--lambda" in asked.words and "," not in asked.words[asked.words.index("--lambda") + 1]:
        rule = "min"  # one strength for each share of L1
    asked.add(*(("--rule", rule) if rule else ()))
    chooses = asked.several and rule not in CRITERIA
    if asked.scheme is None and (chooses or asked.command == "cv" or rng.random() < 0.1):
        asked.scheme = rng.choice(("kfold", "kfold", "stratified" if table.classes else "kfold", "loo"))
        if asked.scheme == "loo" or rng.random() < 0.3:
            asked.add("--cv", asked.scheme)
        elif not chooses and asked.command != "cv":
            asked.add("--folds", "4")
    if asked.scheme is not None:
        _folds(rng, table, asked)
    if asked.several and asked.scheme is not None:
        asked.add(*(("--full-path",) if rng.random() < 0.2 and rule not in CRITERIA else ()))
    settled = asked.scheme == "time" and table.family != "gaussian"
    if (
        rng.random() < 0.15 and not settled and not table.named("category", "fold")
    ):  # a level may end up in the test rows alone
        asked.add("--test-size", "0.2")
    if rng.random() < 0.2:
        asked.add("--assert", rng.choice(("n_selected <= n_features", "not data.rows < 2 and convergence.converged")))


def _folds(rng: Random, table: Table, asked: Asked) -> None:
    """The numbers of a scheme."""
    if asked.scheme == "time" and table.family != "gaussian":
        asked.add("--folds", "3")
        return
    if asked.scheme not in {"fold", "loo"} and "--folds" not in asked.words and rng.random() < 0.8:
        asked.add("--folds", str(rng.randint(3, 4 if asked.scheme == "group" else 5)))
    if asked.scheme in {"kfold", "stratified", "group"} and rng.random() < 0.25:
        asked.add("--repeats", rng.choice("123"))
    if asked.scheme == "time":
        asked.add(*(("--cv", "time") if rng.random() < 0.3 else ()))
        asked.add(*(("--gap", rng.choice("012")) if "--folds" in asked.words and rng.random() < 0.4 else ()))
        asked.add(*(("--window", rng.choice(("4", "9", "1000"))) if rng.random() < 0.4 else ()))
    if rng.random() < 0.4:
        asked.add("--metric", rng.choice(METRICS[table.family]))


def _save(rng: Random, table: Table, asked: Asked) -> None:
    if rng.random() < 0.4:
        asked.model_out = True
        asked.add("--model-out", "model.json")
        asked.add(*(("--no-profile",) if rng.random() < 0.3 else ()))
    if rng.random() < 0.2:
        asked.add("--all-terms")
    if table.classes is not None and rng.random() < 0.2:
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
    """Leave cells empty where that is allowed: not in the first rows, which hold every level."""
    if rng.random() >= 0.25 or "--test-size" in asked.words:
        return
    asked.may_miss = True
    name = rng.choice(asked.used)
    policy = rng.choice(("drop", "mean", "median", "indicator"))
    if policy == "drop" and (asked.scheme == "time" or table.kinds[name] == "constant"):
        policy = "mean"
    asked.add("--missing", policy if rng.random() < 0.6 else f"{name}={policy}")
    table.columns[name][-1 - rng.randrange(2)] = ""
    asked.plain &= policy == "drop"

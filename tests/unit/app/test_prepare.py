"""From files and options to arrays: which terms there are, and what is refused on the way."""

from pathlib import Path

import numpy as np
import pytest

from regcli.app.context import RunContext
from regcli.app.options import Data, FitRequest, Folds, Model, Penalty
from regcli.app.prepare import Prepared, prepare
from regcli.errors import DataError, UsageError
from regcli.problem.folds import set_aside
from tests.dense import dense

ROWS = 24
REGIONS = ("north", "south", "east")


def written(folder: Path, name: str = "data.csv", *, instead: str | None = None) -> str:
    """A number, categories of three and two levels, a target; ``instead`` is the last row's region."""
    lines = ["x,region,sex,y"]
    for row in range(ROWS):
        region = instead if instead and row == ROWS - 1 else REGIONS[row % 3]
        lines.append(f"{row},{region},{'fm'[row % 2]},{(row * row) % 11}")
    file = folder / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(file)


def prepared(file: str, *, penalty: Penalty | None = None, folds: Folds | None = None) -> Prepared:
    request = FitRequest(
        data=Data(data=(file,), target="y"),
        model=Model(family="gaussian"),
        penalty=penalty or Penalty(),
        folds=folds or Folds(),
    )
    return prepare(request, RunContext(), unpenalised=False, seed=0)


def terms(found: Prepared) -> list[str]:
    return [term.name for term in found.encoder.terms]


@pytest.mark.parametrize("pair", ["region=0", "reg*=0", "*=0"])
def test_a_category_that_nothing_penalises_leaves_out_its_first_level(tmp_path: Path, pair: str) -> None:
    file = written(tmp_path)
    assert terms(prepared(file)) == ["x", "region=east", "region=north", "region=south", "sex=m"]
    found = prepared(file, penalty=Penalty(penalty_factor=(pair,)))
    assert terms(found) == ["x", "region=north", "region=south", "sex=m"]
    dependent = np.column_stack([np.ones(ROWS), dense(found.X)])
    assert np.linalg.matrix_rank(dependent) == dependent.shape[1]


@pytest.mark.parametrize(
    "penalty",
    [
        Penalty(penalty_factor=("region=2",)),
        Penalty(penalty_factor=("*=0", "region=1")),
        Penalty(penalty_factor=("region=east=0", "region=north=0", "region=south=0")),
        Penalty(penalty_factor=("region=0",), lower=("region=east=0",)),
    ],
)
def test_levels_that_are_penalised_or_named_stay(tmp_path: Path, penalty: Penalty) -> None:
    assert terms(prepared(written(tmp_path), penalty=penalty))[1:4] == ["region=east", "region=north", "region=south"]


def test_a_factor_may_name_a_constant_column(tmp_path: Path) -> None:
    file = Path(written(tmp_path))
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(["k," + lines[0], *("1," + line for line in lines[1:])]) + "\n", encoding="utf-8")
    found = prepared(str(file), penalty=Penalty(penalty_factor=("k=0", "region=0")))
    assert (found.dropped, terms(found)) == ((("k", "constant"),), ["x", "region=north", "region=south", "sex=m"])


def test_a_level_of_the_test_table_alone_is_located(tmp_path: Path) -> None:
    test = written(tmp_path, "test.csv", instead="west")
    with pytest.raises(DataError, match="'region'") as caught:
        prepared(written(tmp_path), folds=Folds(test=(test,)))
    error = caught.value
    assert (error.code, error.cells) == ("unknown-level", ("west",))
    assert (error.where.file, error.where.line, error.where.column) == (test, ROWS + 1, "region")


def test_a_level_of_the_rows_set_aside_alone_is_located(tmp_path: Path) -> None:
    request = FitRequest(
        data=Data(data=(written(tmp_path, instead="west"),), target="y"),
        model=Model(family="gaussian"),
        folds=Folds(test_size=0.5),
    )
    seed = next(seed for seed in range(100) if set_aside(ROWS, 0.5, seed)[-1])
    with pytest.raises(DataError) as caught:
        prepare(request, RunContext(), unpenalised=False, seed=seed)
    assert (caught.value.code, caught.value.cells) == ("unknown-level", ("west",))
    assert (caught.value.where.line, caught.value.where.column) == (ROWS + 1, "region")


@pytest.mark.parametrize("model", [Model(positive_class="1"), Model(class_weight=("balanced",))])
def test_options_for_classes_have_no_effect_on_numbers(tmp_path: Path, model: Model) -> None:
    request = FitRequest(data=Data(data=(written(tmp_path),), target="y"), model=model)
    with pytest.raises(UsageError, match="for the gaussian family") as caught:
        prepare(request, RunContext(), unpenalised=False, seed=0)
    assert caught.value.code == "option-without-effect"

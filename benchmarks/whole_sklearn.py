"""The same cross-validation as a script with pandas and scikit-learn: ``python whole_sklearn.py table strengths``."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LassoCV
from sklearn.model_selection import PredefinedSplit
from sklearn.preprocessing import StandardScaler


def main(table: str, strengths: str) -> None:
    """Read, standardize, cross-validate, print."""
    frame = pd.read_csv(table)
    y, folds = frame.pop("target"), frame.pop("fold")
    lambdas = np.array([float(word) for word in Path(strengths).read_text("ascii").split()])
    X = StandardScaler().fit_transform(frame.to_numpy())
    model = LassoCV(alphas=lambdas, cv=PredefinedSplit(folds)).fit(X, y)
    document = {
        "lambdas": model.alphas_.tolist(),
        "mean": model.mse_path_.mean(axis=1).tolist(),
        "lambda_min": model.alpha_,
        "coefficients": dict(zip(frame.columns, model.coef_.tolist(), strict=True)),
    }
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

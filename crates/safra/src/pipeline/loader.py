"""Loads the models of Safra that are not trees, for MLflow: raw features in, probabilities out."""

import json
import os

import numpy as np


def _sigmoid(log_odds):
    return np.where(
        log_odds >= 0,
        1.0 / (1.0 + np.exp(-np.abs(log_odds))),
        np.exp(-np.abs(log_odds)) / (1.0 + np.exp(-np.abs(log_odds))),
    )


def _signed_log(values):
    return np.sign(values) * np.log1p(np.abs(values))


def _column(column, frame, features):
    values = frame[features[column["feature"]]].to_numpy(dtype="float64", na_value=np.nan)
    kind = column["kind"]
    if kind == "missing":
        transformed = np.isnan(values).astype("float64")
    else:
        value = kind["value"]
        transformed = np.where(np.isnan(values), value["median"], values)
        if value["signed_log"]:
            transformed = _signed_log(transformed)
        transformed = np.clip(transformed, value["lowest"], value["highest"])
    return (transformed - column["mean"]) / column["standard_deviation"]


class _Model:
    def __init__(self, content):
        self.content = content

    def predict(self, frame, params=None):
        content = self.content
        if "base_rate" in content:
            return np.full(len(frame), content["base_rate"])
        if "coefficients" in content:
            log_odds = np.full(len(frame), content["intercept"])
            columns = content["preprocessor"]["columns"]
            for column, coefficient in zip(columns, content["coefficients"]):
                log_odds = log_odds + coefficient * _column(column, frame, content["features"])
            return _sigmoid(log_odds)
        values = frame[content["features"][0]].to_numpy(dtype="float64", na_value=np.nan)
        scale = content["scale"]
        rank = np.where(np.isnan(values), 0.0, np.arcsinh((values - scale["median"]) / scale["unit"]))
        return _sigmoid(content["intercept"] + content["slope"] * rank)


def _load_pyfunc(path):
    file = path if os.path.isfile(path) else os.path.join(path, "model.json")
    with open(file, encoding="utf-8") as text:
        return _Model(json.load(text))

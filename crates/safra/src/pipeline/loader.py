"""Loads Safra's models for MLflow: raw features in, probabilities out.

A model is a folder of files. What they are called says what it is: `model.json` holds a formula, `model.txt` trees, and
`duration.json` says that these are about a time to an outcome.
"""

import json
import os

import numpy as np
import pandas as pd


def _sigmoid(log_odds):
    odds = np.exp(-np.abs(log_odds))
    return np.where(log_odds >= 0, 1.0 / (1.0 + odds), odds / (1.0 + odds))


def _signed_log(values):
    return np.sign(values) * np.log1p(np.abs(values))


def _numbers(frame, feature):
    return frame[feature].to_numpy(dtype="float64", na_value=np.nan)


def _indicator(kind, values):
    """Whether each value is missing, is one category, or is none of the frequent ones."""
    if kind == "missing":
        return values.isna().to_numpy()
    if "category" in kind:
        return (values == kind["category"]).fillna(False).to_numpy(dtype=bool)
    return (values.notna() & ~values.isin(kind["rare"])).to_numpy()


def _column(column, frame, features):
    kind = column["kind"]
    feature = features[column["feature"]]
    if "value" in kind:
        value = kind["value"]
        values = _numbers(frame, feature)
        transformed = np.where(np.isnan(values), value["median"], values)
        if value["signed_log"]:
            transformed = _signed_log(transformed)
        transformed = np.clip(transformed, value["lowest"], value["highest"])
    else:
        transformed = _indicator(kind, frame[feature]).astype("float64")
    return (transformed - column["mean"]) / column["standard_deviation"]


class _Formula:
    """The base rate, a logistic regression, or a ranking by one feature."""

    def __init__(self, content):
        self.content = content

    def predict(self, frame):
        content = self.content
        if "base_rate" in content:
            return np.full(len(frame), content["base_rate"])
        if "coefficients" in content:
            log_odds = np.full(len(frame), content["intercept"])
            columns = content["preprocessor"]["columns"]
            for column, coefficient in zip(columns, content["coefficients"]):
                log_odds = log_odds + coefficient * _column(column, frame, content["features"])
            return _sigmoid(log_odds)
        values = _numbers(frame, content["features"][0])
        scale = content["scale"]
        rank = np.where(np.isnan(values), 0.0, np.arcsinh((values - scale["median"]) / scale["unit"]))
        return _sigmoid(content["intercept"] + content["slope"] * rank)


class _Trees:
    """Trees of LightGBM. A category that did not occur in training is NaN, as the rarest ones are."""

    def __init__(self, text, description):
        import lightgbm

        self.booster = lightgbm.Booster(model_str=text)
        self.description = description

    def _column(self, frame, feature):
        texts = self.description["categories"].get(feature)
        if texts is None:
            return _numbers(frame, feature)
        codes = {text: code for code, text in enumerate(texts)}
        missing = codes.pop(None, np.nan)
        values = frame[feature]
        return np.where(values.isna(), missing, values.map(codes).to_numpy(dtype="float64", na_value=np.nan))

    def predict(self, frame):
        matrix = np.column_stack([self._column(frame, feature) for feature in self.description["features"]])
        scores = self.booster.predict(matrix)
        scale = self.description["scale"]
        if scale in ("log_odds", "sum"):
            return scores
        return np.clip(scale["probability"]["base_rate"] + scores, 1e-6, 1.0 - 1e-6)


class _Duration:
    """Trees that give the logarithm of the typical days, held against the promised days under a log-logistic distribution."""

    def __init__(self, trees, description):
        self.trees = trees
        self.description = description

    def predict(self, frame):
        description, promises = self.description, self.description["promises"]
        promised = _numbers(frame, promises["feature"])
        promised = np.where(np.isnan(promised), promises["median"], promised)
        promised = np.log(np.maximum(promised, promises["shortest"]))
        typical = description["intercept"] + self.trees.predict(frame)
        return _sigmoid(description["steepness"] * (typical - promised))


class _Blend:
    """The weighted mean of the members' log odds."""

    def __init__(self, members, weights):
        self.members = members
        self.weights = weights

    def predict(self, frame):
        log_odds = np.zeros(len(frame))
        for member, weight in zip(self.members, self.weights):
            log_odds = log_odds + weight * _log_odds(member.predict(frame), 1e-6)
        return _sigmoid(log_odds)


class _Calibrated:
    """Scores mapped to the rates that were observed, on the scale of log odds."""

    def __init__(self, inner, calibration):
        self.inner = inner
        self.calibration = calibration

    def predict(self, frame):
        log_odds = _log_odds(self.inner.predict(frame), 1e-15)
        if "platt" in self.calibration:
            platt = self.calibration["platt"]
            return _sigmoid(platt["slope"] * log_odds + platt["intercept"])
        start, end = (np.asarray(self.calibration["isotonic"][key]) for key in ("from", "to"))
        beyond = log_odds - np.clip(log_odds, start[0], start[-1])
        return _sigmoid(np.interp(log_odds, start, end) + beyond)


def _log_odds(scores, closest):
    scores = np.clip(scores, closest, 1.0 - closest)
    return np.log(scores) - np.log1p(-scores)


def _read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as text:
        return text.read()


def _load(folder, files, prefix=""):
    if prefix + "blend.json" in files:
        blend = json.loads(_read(folder, prefix + "blend.json"))
        members = [_load(folder, files, f"{prefix}{member}.") for member in blend["members"]]
        inner = _Blend(members, blend["weights"])
    elif prefix + "model.txt" in files:
        inner = _Trees(_read(folder, prefix + "model.txt"), json.loads(_read(folder, prefix + "features.json")))
        if prefix + "duration.json" in files:
            inner = _Duration(inner, json.loads(_read(folder, prefix + "duration.json")))
    else:
        inner = _Formula(json.loads(_read(folder, prefix + "model.json")))
    if prefix + "calibration.json" in files:
        return _Calibrated(inner, json.loads(_read(folder, prefix + "calibration.json")))
    return inner


class _Model:
    def __init__(self, inner):
        self.inner = inner

    def predict(self, frame, params=None):
        return self.inner.predict(pd.DataFrame(frame))


def _load_pyfunc(path):
    folder = os.path.dirname(path) if os.path.isfile(path) else path
    return _Model(_load(folder, set(os.listdir(folder))))

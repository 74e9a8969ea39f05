"""Loads the segments of Safra, for MLflow: raw features in, the number of the segment out, from 1."""

import json
import os

import numpy as np


def _scaled(content, frame):
    points = np.zeros((len(frame), len(content["scaler"]["columns"])))
    for position, column in enumerate(content["scaler"]["columns"]):
        name = content["features"][column["feature"]]["name"]
        values = frame[name].to_numpy(dtype="float64", na_value=np.nan)
        values = np.where(np.isnan(values), column["fill"], values)
        if column["logarithm"]:
            values = np.log1p(np.maximum(values, 0.0))
        deviations = (values - column["median"]) / column["scale"]
        points[:, position] = np.clip(deviations, -column["limit"], column["limit"])
    return points


def _nearness(clusters, points):
    centres = np.asarray(clusters["centres"], dtype="float64").reshape(len(clusters["centres"]), points.shape[1])
    differences = points[:, None, :] - centres[None, :, :]
    if clusters["shapes"] is None:
        return -np.square(differences).sum(axis=2)
    precisions = np.asarray([shape["precision"] for shape in clusters["shapes"]])
    weights = np.asarray([shape["weight"] for shape in clusters["shapes"]])
    log_determinants = np.asarray([shape["log_determinant"] for shape in clusters["shapes"]])
    squared = np.einsum("nki,kij,nkj->nk", differences, precisions, differences)
    return np.log(weights) + 0.5 * (log_determinants - squared)


class _Segments:
    def __init__(self, content):
        self.content = content

    def predict(self, frame, params=None):
        nearness = _nearness(self.content["clusters"], _scaled(self.content, frame))
        return np.argmax(nearness, axis=1).astype("int64") + 1


def _load_pyfunc(path):
    file = path if os.path.isfile(path) else os.path.join(path, "model.json")
    with open(file, encoding="utf-8") as text:
        return _Segments(json.load(text))

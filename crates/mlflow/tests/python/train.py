"""Trains a tiny LightGBM model, saves it and prints what its predictions and the versions are."""

import json
import platform
import sys

import lightgbm
import mlflow
import numpy
import pandas

random = numpy.random.default_rng(0)
frame = pandas.DataFrame({"orders": random.normal(size=200), "ticket": random.normal(size=200)})
label = (frame.orders + frame.ticket > 0).astype(int)
parameters = {"objective": "binary", "num_leaves": 4, "verbosity": -1, "num_threads": 1}
booster = lightgbm.train(parameters, lightgbm.Dataset(frame, label), 5)
booster.save_model(sys.argv[1])
rows = frame.head(3)
print(
    json.dumps({
        "python": platform.python_version(),
        "mlflow": mlflow.__version__,
        "lightgbm": lightgbm.__version__,
        "rows": rows.to_numpy().tolist(),
        "predictions": booster.predict(rows).tolist(),
    })
)

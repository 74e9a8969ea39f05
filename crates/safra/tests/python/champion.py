"""Loads the champion as any user of MLflow does, and compares its scores with those that Safra wrote.

The arguments are the folder of the lake and the URI of the store.
"""

import sys

import mlflow
import numpy
import rows as scored

folder, uri = sys.argv[1:]
mlflow.set_tracking_uri(uri)
rows = scored.read(folder)
model = mlflow.pyfunc.load_model("models:/olist-churn@champion")
features = scored.features(rows, model.metadata.get_input_schema())
difference = numpy.abs(numpy.asarray(model.predict(features)) - rows.score).max()
assert difference < 1e-6, difference
print("compared", len(rows))

"""Asks `mlflow models serve` for the scores of the champion, and compares them with those that Safra wrote.

The arguments are the folder of the lake, the URI of the store and the port of the scoring server.
"""

import json
import sys
import urllib.request

import mlflow
import numpy
import rows as scored

folder, uri, port = sys.argv[1:]
mlflow.set_tracking_uri(uri)
rows = scored.read(folder)
model = mlflow.models.get_model_info("models:/olist-churn@champion")
features = scored.features(rows, model.signature.inputs)
# What is missing is null in JSON.
values = features.astype(object).where(features.notna(), None).to_numpy().tolist()
body = json.dumps({"dataframe_split": {"columns": list(features.columns), "data": values}})
request = urllib.request.Request(
    f"http://127.0.0.1:{port}/invocations", body.encode(), {"Content-Type": "application/json"}
)
with urllib.request.urlopen(request) as answer:
    predictions = json.load(answer)["predictions"]
difference = numpy.abs(numpy.asarray(predictions) - rows.score).max()
assert difference < 1e-6, difference
print("compared", len(rows))

"""Prints what the champion says of where it comes from: its metadata, and the tags of its version, which lead to its logged model.

The argument is the URI of the store.
"""

import json
import sys

import mlflow

mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.models.get_model_info("models:/olist-churn@champion")
version = mlflow.MlflowClient().get_model_version_by_alias("olist-churn", "champion")
run = mlflow.get_run(version.run_id)
logged = mlflow.get_logged_model(version.tags["safra.model_id"])
assert {"name": version.name, "version": int(version.version)} in json.loads(logged.tags["mlflow.modelVersions"]), logged.tags
assert logged.source_run_id == version.run_id and logged.artifact_location == version.source, (logged, version)
print(
    json.dumps({
        "metadata": model.metadata["safra"],
        "inputs": model.signature.inputs.input_names(),
        "version": version.tags,
        "run": run.data.tags,
    })
)

"""Writes with MLflow what the test then reads, into a store that the test started."""

import json
import os
import sys

import mlflow
from mlflow import MlflowClient

uri, folder = sys.argv[1:]
mlflow.set_tracking_uri(uri)
client = MlflowClient()
experiment_id = client.create_experiment("1e5", tags={"team": "growth"})
mlflow.set_experiment("1e5")
with mlflow.start_run(run_name="0o17") as run:
    mlflow.log_params({"tree/depth": 6, "note": "duas\nlinhas é"})
    mlflow.log_metric("auc", 0.7, step=3, timestamp=1_700_000_000_000)
    mlflow.log_metric("auc", float("nan"), step=4, timestamp=1_700_000_000_001)
    mlflow.log_text("hello", "notes/hello.txt")
    module = os.path.join(folder, "weights_loader.py")
    with open(module, "w") as file:
        file.write("import numpy\ndef _load_pyfunc(path):\n    return numpy.loadtxt(path)\n")
    weights = os.path.join(folder, "weights.txt")
    with open(weights, "w") as file:
        file.write("1 2")
    model = mlflow.pyfunc.log_model(
        name="linear",
        loader_module="weights_loader",
        data_path=weights,
        code_paths=[module],
        pip_requirements=["numpy"],
        registered_model_name="churn",
    )
    mlflow.log_metric("rows", 10, model_id=model.model_id)
client.update_registered_model("churn", "a long description " * 20 + "\nwith: two lines")
client.set_registered_model_alias("churn", "champion", 1)
client.set_model_version_tag("churn", 1, "auc", "0.7")
print(json.dumps({"experiment": experiment_id, "run": run.info.run_id, "model": model.model_id}))

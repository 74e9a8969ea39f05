"""Reads with MLflow the store that the test wrote; any difference is an assertion error.

The arguments are the URI of the store, what to expect, and where it is: in a folder, behind a server, or migrated from a
folder to a database.
"""

import json
import math
import sys
import warnings

import mlflow
import numpy
import pandas
from mlflow import MlflowClient

uri, expected, place = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
mlflow.set_tracking_uri(uri)
client = MlflowClient()


def read_experiments_and_runs():
    names = {experiment.name for experiment in client.search_experiments()}
    assert names == {"Default", "2024-01-01: não"}, names
    experiment = client.get_experiment_by_name("2024-01-01: não")
    assert experiment.tags == {"team": "growth"}, experiment.tags
    # A server has a clock of its own.
    assert place == "server" or experiment.creation_time == 1_700_000_000_000
    parents = client.search_runs([experiment.experiment_id], "tags.kind = 'backtest'")
    assert [run.info.run_id for run in parents] == [expected["parent"]]
    nested = f"tags.`mlflow.parentRunId` = '{expected['parent']}'"
    children = client.search_runs([experiment.experiment_id], nested)
    assert [run.info.run_id for run in children] == [expected["child"]]
    return experiment


def read_parent():
    run = client.get_run(expected["parent"])
    assert run.info.run_name == "yes" and run.info.status == "FINISHED"
    assert (run.info.start_time, run.info.end_time) == (1_700_000_000_000, 1_700_000_009_000)
    assert run.info.user_id == "ana" and run.data.tags["mlflow.user"] == "ana"
    assert run.data.tags["mlflow.source.git.commit"] == "0123abc"
    assert run.data.params == {"tree/depth": "6", "learner": "árvores\nduas", "empty": ""}
    assert run.data.metrics["auc"] == 0.1 + 0.2 and run.data.metrics["huge"] == 1e300
    assert math.isnan(run.data.metrics["none"])
    # Databases have no infinity.
    least = -math.inf if place == "folder" else -sys.float_info.max
    assert run.data.metrics["least"] == least, run.data.metrics
    history = client.get_metric_history(expected["parent"], "auc")
    assert [(m.step, m.value, m.timestamp) for m in history] == [
        (0, 0.7, 1_700_000_001_000),
        (1, 0.1 + 0.2, 1_700_000_002_000),
    ]
    assert client.get_run(expected["child"]).info.status == "RUNNING"


def read_artifacts():
    infos = client.list_artifacts(expected["parent"], "plots")
    assert [(info.path, info.file_size) for info in infos] == [("plots/gain (1).svg", 13)]
    path = client.download_artifacts(expected["parent"], "plots/gain (1).svg")
    with open(path) as file:
        assert file.read() == "<svg>22</svg>"


def read_logged_models(experiment):
    models = client.search_logged_models([experiment.experiment_id])
    models = {model.name: model for model in models}
    assert set(models) == {"boosted trees", "linear"}
    model = models["boosted trees"]
    assert model.status.value == "READY" and model.source_run_id == expected["child"]
    assert model.params == {"num_leaves": "4"} and model.tags["learner"] == "lightgbm"
    assert json.loads(model.tags["mlflow.modelVersions"]) == [{"name": "churn", "version": 1}]
    assert [(metric.key, metric.value) for metric in model.metrics] == [("auc", 0.81)]
    outputs = client.get_run(expected["child"]).outputs.model_outputs
    assert {output.model_id for output in outputs} == {m.model_id for m in models.values()}


def read_registry(client):
    registered = client.get_registered_model("churn")
    assert registered.description == "12:30:00 # who leaves?", registered.description
    assert registered.tags == {"task": "classification"}
    assert {name: int(version) for name, version in registered.aliases.items()} == {"champion": 1}
    version = client.get_model_version_by_alias("churn", "champion")
    assert int(version.version) == 1 and version.run_id == expected["child"]
    assert version.tags == {"auc": "0.81"} and version.description == "off"
    assert version.aliases == ["champion"] and version.status == "READY"
    assert len(client.search_model_versions("name = 'churn'")) == 2
    return version


def load_models():
    frame = pandas.DataFrame(expected["rows"], columns=["orders", "ticket"])
    model = mlflow.pyfunc.load_model("models:/churn@champion")
    numpy.testing.assert_allclose(model.predict(frame), expected["predictions"])
    assert model.metadata.get_input_schema().input_names() == ["orders", "ticket"]
    assert [spec.type.name for spec in model.metadata.get_output_schema().inputs] == ["float64"]
    assert model.metadata.metadata == {"made": expected["metadata"]}, model.metadata.metadata
    example = model.metadata.load_input_example()
    pandas.testing.assert_frame_equal(example, frame)
    booster = mlflow.lightgbm.load_model("models:/churn/1")
    numpy.testing.assert_allclose(booster.predict(frame), expected["predictions"])
    linear = mlflow.pyfunc.load_model("models:/churn/2")
    numpy.testing.assert_allclose(linear.predict(frame), frame.orders * 2 - frame.ticket)
    by_id = mlflow.pyfunc.load_model(f"models:/{expected['linear']}")
    numpy.testing.assert_allclose(by_id.predict(frame), frame.orders * 2 - frame.ticket)


warnings.simplefilter("ignore")
experiment = read_experiments_and_runs()
read_parent()
read_artifacts()
read_logged_models(experiment)
read_registry(client)
load_models()

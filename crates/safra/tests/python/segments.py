"""Loads the segments as any user of MLflow does, and compares what they say of raw features with what Safra wrote.

The arguments are the folder of the lake and the URI of the store.
"""

import sys

import mlflow
from deltalake import DeltaTable

lake, uri = sys.argv[1:]
mlflow.set_tracking_uri(uri)
model = mlflow.pyfunc.load_model("models:/olist-segments@champion")
names = model.metadata.get_input_schema().input_names()
rows = DeltaTable(f"{lake}/predictions/segments").to_pandas()
for view in ("seller_sales", "seller_delivery", "seller_reviews"):
    features = DeltaTable(f"{lake}/features/{view}").to_pandas()
    held = [name for name in names if name in features.columns]
    rows = rows.merge(features[["seller_id", "reference_date", *held]], on=["seller_id", "reference_date"], how="left")
frame = rows[names].astype("float64")
assert frame.isna().any().any(), "no value is missing"
predicted = model.predict(frame)
differing = int((predicted != rows.segment.to_numpy()).sum())
assert differing == 0, differing
print("compared", len(rows), "in", rows.segment.nunique())

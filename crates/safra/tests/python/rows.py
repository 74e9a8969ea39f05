"""The rows that the champion scored last, and the scores that Safra wrote for them."""

import deltalake


def read(folder):
    """The rows of the training set at the date of the scores, with the scores beside them, in the column `score`."""
    rows = table(f"{folder}/lake/datasets/churn")
    scores = table(f"{folder}/lake/predictions/churn")
    date = scores.reference_date.iloc[0]
    rows = rows[rows.reference_date == date]
    both = rows.merge(scores[["seller_id", "score"]], on="seller_id")
    assert len(both) == len(scores) == len(rows), (len(both), len(scores), len(rows))
    return both


def table(path):
    return deltalake.DeltaTable(path).to_pyarrow_table().to_pandas()


def features(rows, schema):
    """The columns that a model takes, of the types that it takes them in; some values must be missing."""
    if not schema:
        return rows[["seller_id"]]
    numbers = [column.name for column in schema.inputs if column.type.name == "double"]
    taken = rows[schema.input_names()].astype({name: "float64" for name in numbers})
    assert taken.isna().any().any() or len(taken.columns) == 1, "no missing value to try"
    return taken

//! Rows on which a model can be tried.

use serde_json::{Value, json};

use super::ModelFile;
use crate::yaml::{self, Mapping, Node};

const FILE: &str = "input_example.json";
const SERVING_FILE: &str = "serving_input_example.json";

/// Rows of a data frame on which a model can be tried.
#[derive(Debug, Clone, PartialEq)]
pub struct InputExample {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with a value for each column; null where it is missing.
    pub rows: Vec<Vec<Value>>,
}

impl InputExample {
    pub(super) fn files(&self) -> [ModelFile; 2] {
        let frame = json!({"columns": self.columns, "data": self.rows});
        [
            ModelFile::new(FILE, frame.to_string()),
            ModelFile::new(SERVING_FILE, json!({"dataframe_split": frame}).to_string()),
        ]
    }

    /// What the `MLmodel` file says of the example.
    pub(super) fn fields(&self) -> Mapping {
        yaml::mapping([
            ("artifact_path", Node::from(FILE)),
            ("pandas_orient", Node::from("split")),
            ("serving_input_path", Node::from(SERVING_FILE)),
            ("type", Node::from("dataframe")),
        ])
    }
}

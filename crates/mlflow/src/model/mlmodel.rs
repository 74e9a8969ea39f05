//! The `MLmodel` file.

use chrono::DateTime;
use serde_json::{Number, Value};

use super::environment::{CONDA_FILE, Environment, PYTHON_ENV_FILE};
use super::{Flavor, InputExample, Model, Signature};
use crate::entity::LoggedModel;
use crate::yaml::{self, Mapping, Node};
use crate::{Error, Result};

pub(super) const FILE: &str = "MLmodel";
pub(super) const LIGHTGBM_FILE: &str = "model.lgb";
pub(super) const CODE_FOLDER: &str = "code";
pub(super) const DATA_FOLDER: &str = "data";

/// The content of the `MLmodel` file; `model_size` is that of the model without its environment, in bytes.
pub(super) fn text(logged: &LoggedModel, model: &Model, model_size: usize) -> Result<String> {
    let mut fields = yaml::mapping([
        (
            "artifact_path",
            Node::from(logged.artifact_location.as_str()),
        ),
        ("flavors", Node::from(flavors(model))),
        ("is_signature_from_type_hint", Node::from(false)),
        (
            "mlflow_version",
            Node::from(model.environment.mlflow_version.as_str()),
        ),
        ("model_id", Node::from(logged.model_id.as_str())),
        ("model_size_bytes", Node::Plain(model_size.to_string())),
        ("model_uuid", Node::from(logged.model_id.as_str())),
        ("prompts", Node::null()),
        ("type_hint_from_example", Node::from(false)),
        (
            "utc_time_created",
            Node::from(utc_time(logged.creation_timestamp)?.as_str()),
        ),
    ]);
    let metadata = (!model.metadata.is_empty()).then(|| Node::from(fields_of(&model.metadata)));
    let optional = [
        ("metadata", metadata),
        ("run_id", logged.source_run_id.as_deref().map(Node::from)),
        (
            "saved_input_example_info",
            model
                .input_example
                .as_ref()
                .map(InputExample::fields)
                .map(Node::from),
        ),
        (
            "signature",
            model
                .signature
                .as_ref()
                .map(Signature::fields)
                .map(Node::from),
        ),
    ];
    fields.extend(
        optional
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?))),
    );
    Ok(yaml::to_string(&fields))
}

fn fields_of<'a>(values: impl IntoIterator<Item = (&'a String, &'a Value)>) -> Mapping {
    let fields = values.into_iter();
    fields
        .map(|(key, value)| (key.clone(), node(value)))
        .collect()
}

fn node(value: &Value) -> Node {
    match value {
        Value::Null => Node::null(),
        Value::Bool(truth) => Node::from(*truth),
        Value::Number(number) => Node::Plain(number_text(number)),
        Value::String(text) => Node::from(text.as_str()),
        Value::Array(values) => Node::Sequence(values.iter().map(node).collect()),
        Value::Object(fields) => Node::from(fields_of(fields)),
    }
}

/// A number as PyYAML reads one: it takes an exponent for one only after a point and with a sign.
fn number_text(number: &Number) -> String {
    let text = number.to_string();
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    let point = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) {
        ""
    } else {
        "+"
    };
    format!("{digits}{point}e{sign}{exponent}")
}

fn flavors(model: &Model) -> Mapping {
    match &model.flavor {
        Flavor::Lightgbm {
            lightgbm_version, ..
        } => {
            let lightgbm = yaml::mapping([
                ("code", Node::null()),
                ("data", Node::from(LIGHTGBM_FILE)),
                ("lgb_version", Node::from(lightgbm_version.as_str())),
                ("model_class", Node::from("lightgbm.basic.Booster")),
            ]);
            let python_function =
                python_function("mlflow.lightgbm", LIGHTGBM_FILE, &model.environment);
            yaml::mapping([
                ("lightgbm", lightgbm.into()),
                ("python_function", python_function.into()),
            ])
        }
        Flavor::PythonFunction { loader_module, .. } => {
            let mut python_function =
                python_function(loader_module, DATA_FOLDER, &model.environment);
            python_function.insert("code".to_owned(), Node::from(CODE_FOLDER));
            yaml::mapping([("python_function", python_function.into())])
        }
    }
}

fn python_function(loader_module: &str, data: &str, environment: &Environment) -> Mapping {
    let env = yaml::mapping([
        ("conda", Node::from(CONDA_FILE)),
        ("virtualenv", Node::from(PYTHON_ENV_FILE)),
    ]);
    yaml::mapping([
        ("data", Node::from(data)),
        ("env", Node::from(env)),
        ("loader_module", Node::from(loader_module)),
        (
            "python_version",
            Node::from(environment.python_version.as_str()),
        ),
    ])
}

/// A time in milliseconds since the Unix epoch, as Python writes a date with a time.
fn utc_time(milliseconds: i64) -> Result<String> {
    let time = DateTime::from_timestamp_millis(milliseconds).ok_or_else(|| Error::Invalid {
        kind: "time",
        value: milliseconds.to_string(),
        hint: "give milliseconds since the Unix epoch",
    })?;
    Ok(time.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}

//! What a model takes and what it gives.

use serde_json::{Map, Value, json};

use crate::yaml::{self, Mapping, Node};

/// What a model takes and what it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// What it takes.
    pub inputs: Schema,
    /// What it gives, if that is known.
    pub outputs: Option<Schema>,
}

/// The form of inputs or outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schema {
    /// The columns of a data frame.
    Columns(Vec<ColumnSpec>),
    /// Arrays, as LightGBM gives them.
    Tensors(Vec<TensorSpec>),
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSpec {
    /// Its name; a single column may have none.
    pub name: Option<String>,
    /// The type of its values.
    pub data_type: DataType,
    /// Whether the column must be there.
    pub required: bool,
}

/// The type of the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataType {
    /// A truth value.
    Boolean,
    /// A signed integer of 32 bits.
    Integer,
    /// A signed integer of 64 bits; a column of Python with missing values cannot have it.
    Long,
    /// A floating point number of 32 bits.
    Float,
    /// A floating point number of 64 bits.
    Double,
    /// A text.
    String,
    /// Bytes.
    Binary,
    /// A date with a time.
    Datetime,
}

/// An array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its name; a single array may have none.
    pub name: Option<String>,
    /// The type of its values as NumPy names it: `float64`.
    pub dtype: String,
    /// The length of each dimension; -1 where it is open, as for the rows.
    pub shape: Vec<i64>,
}

impl Signature {
    /// What the `MLmodel` file says of the signature.
    pub(super) fn fields(&self) -> Mapping {
        let json = |schema: &Schema| Node::Text(schema.json().to_string());
        yaml::mapping([
            ("inputs", json(&self.inputs)),
            ("outputs", Node::from(self.outputs.as_ref().map(json))),
            ("params", Node::null()),
        ])
    }
}

impl Schema {
    fn json(&self) -> Value {
        match self {
            Self::Columns(columns) => columns.iter().map(ColumnSpec::json).collect(),
            Self::Tensors(tensors) => tensors.iter().map(TensorSpec::json).collect(),
        }
    }
}

impl ColumnSpec {
    fn json(&self) -> Value {
        let mut fields = Map::from_iter([("type".to_owned(), json!(self.data_type.as_str()))]);
        fields.extend(
            self.name
                .iter()
                .map(|name| ("name".to_owned(), json!(name))),
        );
        fields.insert("required".to_owned(), json!(self.required));
        Value::Object(fields)
    }
}

impl TensorSpec {
    fn json(&self) -> Value {
        let mut fields = Map::from_iter([("type".to_owned(), json!("tensor"))]);
        fields.extend(
            self.name
                .iter()
                .map(|name| ("name".to_owned(), json!(name))),
        );
        fields.insert(
            "tensor-spec".to_owned(),
            json!({"dtype": self.dtype, "shape": self.shape}),
        );
        Value::Object(fields)
    }
}

impl DataType {
    fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::String => "string",
            Self::Binary => "binary",
            Self::Datetime => "datetime",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_written_as_mlflow_writes_them() {
        let column = |name: Option<&str>, data_type, required| ColumnSpec {
            name: name.map(str::to_owned),
            data_type,
            required,
        };
        let columns = Schema::Columns(vec![
            column(Some("a"), DataType::Double, true),
            column(None, DataType::Long, false),
        ]);
        assert_eq!(
            columns.json(),
            json!([{"type": "double", "name": "a", "required": true}, {"type": "long", "required": false}])
        );
        let tensors = Schema::Tensors(vec![TensorSpec {
            name: None,
            dtype: "float64".into(),
            shape: vec![-1],
        }]);
        assert_eq!(
            tensors.json(),
            json!([{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}])
        );
    }
}

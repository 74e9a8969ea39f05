//! The Python environment of a model, in the three forms that MLflow writes.

use super::ModelFile;
use crate::yaml::{self, Node};

pub(super) const CONDA_FILE: &str = "conda.yaml";
pub(super) const PYTHON_ENV_FILE: &str = "python_env.yaml";
const REQUIREMENTS_FILE: &str = "requirements.txt";

/// The Python environment in which a model can be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The version of Python, such as `3.12.4`.
    pub python_version: String,
    /// The version of MLflow, such as `3.17.2`; the requirement `mlflow` follows from it.
    pub mlflow_version: String,
    /// The other requirements, as pip takes them: `lightgbm==4.6.0`.
    pub requirements: Vec<String>,
}

impl Environment {
    pub(super) fn files(&self) -> [ModelFile; 3] {
        let requirements = self.all_requirements();
        [
            ModelFile::new(REQUIREMENTS_FILE, requirements.join("\n")),
            ModelFile::new(PYTHON_ENV_FILE, self.python_env()),
            ModelFile::new(CONDA_FILE, self.conda(&requirements)),
        ]
    }

    fn all_requirements(&self) -> Vec<String> {
        let mlflow = format!("mlflow=={}", self.mlflow_version);
        std::iter::once(mlflow)
            .chain(self.requirements.iter().cloned())
            .collect()
    }

    fn python_env(&self) -> String {
        yaml::to_string(&yaml::mapping([
            ("build_dependencies", texts(["pip", "setuptools", "wheel"])),
            (
                "dependencies",
                texts([format!("-r {REQUIREMENTS_FILE}").as_str()]),
            ),
            ("python", Node::from(self.python_version.as_str())),
        ]))
    }

    fn conda(&self, requirements: &[String]) -> String {
        let pip = yaml::mapping([("pip", texts(requirements.iter().map(String::as_str)))]);
        let python = format!("python={}", self.python_version);
        let dependencies = vec![
            Node::from(python.as_str()),
            Node::from("pip"),
            Node::from(pip),
        ];
        yaml::to_string(&yaml::mapping([
            ("channels", texts(["conda-forge"])),
            ("dependencies", Node::Sequence(dependencies)),
            ("name", Node::from("mlflow-env")),
        ]))
    }
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Node {
    Node::Sequence(texts.into_iter().map(Node::from).collect())
}

//! The base rate: every row gets the share of positive training rows. What any other learner must beat.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::parameters::describe;
use crate::probability::logit;
use crate::{
    Contributions, FeatureImportance, LearnError, Learner, Model, Rows, SavedModel, Training,
};

pub(crate) const NAME: &str = "baseline";

const FILE: &str = "model.json";

/// The base rate has no parameters.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineParameters {}

/// The learner `baseline`.
#[derive(Clone, Debug)]
pub struct Baseline {
    parameters: BaselineParameters,
}

impl Baseline {
    /// The learner with these parameters.
    pub fn new(parameters: BaselineParameters) -> Self {
        Self { parameters }
    }
}

impl Learner for Baseline {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parameters(&self) -> BTreeMap<String, String> {
        describe(&self.parameters)
    }

    fn fit(&self, training: &Training<'_>, _seed: u64) -> Result<Box<dyn Model>, LearnError> {
        Ok(Box::new(BaselineModel {
            base_rate: training.base_rate(),
        }))
    }
}

/// The share of positive training rows, strictly between 0 and 1.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct BaselineModel {
    base_rate: f64,
}

impl BaselineModel {
    /// The model that was saved.
    pub(crate) fn load(saved: &SavedModel) -> Result<Self, LearnError> {
        let model: Self = saved.parse(FILE)?;
        if model.base_rate > 0.0 && model.base_rate < 1.0 {
            return Ok(model);
        }
        Err(saved.unreadable(FILE, "has a base rate that is not between 0 and 1"))
    }
}

impl Model for BaselineModel {
    fn learner(&self) -> &'static str {
        NAME
    }

    fn features(&self) -> &[String] {
        &[]
    }

    fn predict(&self, rows: &Rows<'_>) -> Result<Vec<f64>, LearnError> {
        Ok(vec![self.base_rate; rows.len()])
    }

    fn contributions(&self, rows: &Rows<'_>) -> Result<Contributions, LearnError> {
        let bias = logit(self.base_rate);
        Ok(Contributions::from_row_major(
            Vec::new(),
            vec![bias; rows.len()],
        ))
    }

    fn importance(&self) -> Result<Vec<FeatureImportance>, LearnError> {
        Ok(Vec::new())
    }

    fn save(&self) -> Result<SavedModel, LearnError> {
        SavedModel::json(NAME, FILE, self)
    }
}

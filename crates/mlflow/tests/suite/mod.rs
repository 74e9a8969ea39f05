//! What every store must do, wherever it is. Each behaviour gets a [`World`] of its own.

mod logging;
mod models;
mod registry;
mod tracking;

use std::collections::BTreeMap;

use safra_mlflow::{
    Environment, Flavor, LoggedModel, Model, ModelFile, NewLoggedModel, NewModelVersion,
    NewRegisteredModel, NewRun, Store, log_model,
};

use super::common::{NOW, map};

/// A behaviour: its name, and what checks it.
pub type Behaviour = (&'static str, fn(&World<'_>));

/// All behaviours.
pub fn behaviours() -> Vec<Behaviour> {
    [
        tracking::BEHAVIOURS,
        logging::BEHAVIOURS,
        models::BEHAVIOURS,
        registry::BEHAVIOURS,
    ]
    .concat()
}

/// A store in which nobody else uses the names that begin with `prefix`.
pub struct World<'a> {
    pub store: &'a dyn Store,
    pub prefix: &'a str,
}

impl World<'_> {
    /// A name for an experiment or a registered model, of this world alone.
    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn experiment(&self) -> String {
        let experiment = self
            .store
            .get_or_create_experiment(&self.name("churn"), NOW);
        experiment.unwrap().experiment_id
    }

    fn run(&self, name: &str, tags: &[(&str, &str)]) -> String {
        let run = new_run(&self.experiment(), name, tags);
        self.store.create_run(&run).unwrap().run_id
    }

    /// A run with a model that is ready: the run id, what the model was made from, and the model.
    fn logged_model(&self) -> (String, NewLoggedModel, LoggedModel) {
        let run_id = self.run("r", &[]);
        let new = new_logged_model(&self.experiment(), Some(&run_id));
        let model = text_model(vec![ModelFile::new("weights.txt", "1 2 3")]);
        let logged = log_model(self.store, &new, &model).unwrap();
        (run_id, new, logged)
    }

    /// Registers a version of a new logged model under `name`, and gives its number.
    fn version(&self, name: &str) -> u32 {
        let model = new_registered_model(name);
        self.store.get_or_create_registered_model(&model).unwrap();
        let (_, _, logged) = self.logged_model();
        let version = new_version(name, &logged);
        self.store.create_model_version(&version).unwrap().version
    }
}

fn new_run(experiment_id: &str, name: &str, tags: &[(&str, &str)]) -> NewRun {
    NewRun {
        experiment_id: experiment_id.into(),
        run_name: name.into(),
        start_time: NOW,
        tags: map(tags),
    }
}

fn new_registered_model(name: &str) -> NewRegisteredModel {
    NewRegisteredModel {
        name: name.into(),
        description: Some("who leaves".into()),
        tags: map(&[("task", "classification")]),
        creation_timestamp: NOW,
    }
}

fn new_version(name: &str, logged: &LoggedModel) -> NewModelVersion {
    NewModelVersion {
        name: name.into(),
        source: format!("models:/{}", logged.model_id),
        run_id: None,
        model_id: Some(logged.model_id.clone()),
        description: None,
        tags: BTreeMap::new(),
        creation_timestamp: NOW + 1,
    }
}

fn new_logged_model(experiment_id: &str, run_id: Option<&str>) -> NewLoggedModel {
    NewLoggedModel {
        experiment_id: experiment_id.into(),
        name: "model".into(),
        source_run_id: run_id.map(str::to_owned),
        model_type: Some("trees".into()),
        params: map(&[("num_leaves", "31")]),
        tags: map(&[("learner", "boosted trees")]),
        creation_timestamp: NOW,
    }
}

fn text_model(data: Vec<ModelFile>) -> Model {
    Model {
        flavor: Flavor::PythonFunction {
            loader_module: "loader".into(),
            code: vec![ModelFile::new("loader.py", "def _load_pyfunc(path): ...")],
            data,
        },
        signature: None,
        input_example: None,
        environment: Environment {
            python_version: "3.12.1".into(),
            mlflow_version: "3.17.2".into(),
            requirements: Vec::new(),
        },
        metadata: BTreeMap::new(),
    }
}

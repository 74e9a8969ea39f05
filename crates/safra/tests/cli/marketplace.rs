//! A small marketplace, whose data ends before 2018-06-01, and what became of it.

use std::collections::BTreeMap;

use safra_lake::Folder;
use safra_marketplace::{Parameters, generate};
use serde_json::Value;

use crate::support::Home;

/// A working directory with the files of a marketplace in `data`.
pub fn with_data() -> Home {
    let home = Home::new();
    let parameters = Parameters {
        scale: 0.03,
        seed: 7,
        ..Parameters::default()
    };
    generate(&parameters, &home.path("data"), &|_, _| {}).unwrap();
    home
}

/// With everything that `safra run` makes.
pub fn finished() -> Home {
    let home = with_data();
    home.ok(&["run", "--source", "data"]);
    home
}

impl Home {
    /// The predictions without the time at which they were made.
    pub fn predictions(&self) -> Vec<Value> {
        let query = "SELECT * FROM predictions.churn ORDER BY reference_date, seller_id";
        let Value::Array(mut rows) = self.json(&["sql", query]) else {
            panic!("not a list");
        };
        for row in &mut rows {
            assert!(row.as_object_mut().unwrap().remove("scored_at").is_some());
        }
        rows
    }

    /// The version of every table in some folders of the lake.
    pub fn versions(&self, folders: &[Folder]) -> BTreeMap<String, u64> {
        let mut versions = BTreeMap::new();
        for &folder in folders {
            for name in self.lake().table_names(folder).unwrap() {
                let version = self.snapshot(folder, &name).version();
                versions.insert(format!("{}/{name}", folder.name()), version);
            }
        }
        versions
    }

    /// The registered versions of the model, and the champion among them.
    pub fn models(&self) -> (Vec<u32>, Option<u32>) {
        let store = safra_mlflow::open(self.path("mlruns").to_str().unwrap()).unwrap();
        let versions = store.list_model_versions("olist-churn").unwrap();
        let champion = store.get_model_version_by_alias("olist-churn", "champion");
        (
            versions.iter().map(|version| version.version).collect(),
            champion.unwrap().map(|version| version.version),
        )
    }
}

pub fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

//! Champions of every learner, loaded by MLflow in Python, against the scores that Safra wrote.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::{Command, Output};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/champion.py");

/// A view with a text, so that every learner has one among its features.
const TEXTS: &str = "---
entity: seller_id
time: order_purchase_timestamp
windows: [all]
---
SELECT MAX(product_category_name) AS last_category
FROM order_items
JOIN orders USING (order_id)
JOIN products USING (product_id)
";

/// The learner sections of the churn problem, one alone each.
const LEARNERS: [(&str, &str); 7] = [
    ("baseline", "name = \"baseline\""),
    (
        "recency",
        "name = \"recency\"\nfeature = \"days_since_last_order_all\"",
    ),
    ("logistic_regression", "name = \"logistic_regression\""),
    ("decision_tree", "name = \"decision_tree\""),
    ("random_forest", "name = \"random_forest\""),
    ("lightgbm", "name = \"lightgbm\""),
    (
        "blend",
        "name = \"blend\"\nmembers = [\"decision_tree\", \"lightgbm\"]",
    ),
];

#[test]
fn python_predicts_what_safra_predicts() {
    let Ok(python) = std::env::var("SAFRA_MLFLOW_PYTHON") else {
        eprintln!(
            "skipped: SAFRA_MLFLOW_PYTHON does not name a Python with mlflow, lightgbm and deltalake"
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let marketplace = folder.path().join("marketplace");
    ok(safra(folder.path())
        .args(["generate", "--scale", "0.03", "--out"])
        .arg(&marketplace));
    for (name, learner) in LEARNERS {
        let work = folder.path().join(name);
        std::fs::create_dir(&work).unwrap();
        ok(safra(&work).args(["init", "project"]));
        std::fs::remove_file(work.join("project/problems/activation.toml")).unwrap();
        let problem = work.join("project/problems/churn.toml");
        let text = std::fs::read_to_string(&problem).unwrap();
        let (before, _) = text.split_once("[[learners]]").unwrap();
        let before = before.replace("views = [", "views = [\n    \"seller_texts\",");
        std::fs::write(&problem, format!("{before}[[learners]]\n{learner}\n")).unwrap();
        std::fs::write(work.join("project/features/seller_texts.sql"), TEXTS).unwrap();
        ok(safra(&work)
            .args(["--project", "project", "run", "--source"])
            .arg(&marketplace));
        let output = Command::new(&python)
            .env("MLFLOW_ALLOW_FILE_STORE", "true")
            .args(["-W", "ignore", SCRIPT])
            .args([&work, &work.join("mlruns")])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(said.starts_with("compared"), "{name}: {complaint}");
    }
}

fn safra(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_safra"));
    command
        .current_dir(folder)
        .env_remove("MLFLOW_TRACKING_URI")
        .arg("--quiet");
    command
}

fn ok(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

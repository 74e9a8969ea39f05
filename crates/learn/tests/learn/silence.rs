//! LightGBM writes to the standard output from C++, where only the process can see it; so a process of its own is watched.

use std::process::Command;

use safra_learn::{Examples, Training, learner};

use crate::support::{all_learners, signal};

const PROBE: &str = "silence::probe";

/// Fits that give LightGBM something to say: a usual one, one without a usable feature, one with too few rows to split.
#[test]
fn probe() {
    let lightgbm = learner("lightgbm", &Default::default()).unwrap();
    let usual = signal(300, 1);
    let label = || (0..60).map(|row| Some(row % 2 == 0)).collect();
    let constant = Examples::new(vec!["a b".into()], vec![vec![1.0; 60]], label()).unwrap();
    let few = Examples::new(
        vec!["x".into()],
        vec![vec![1.0, 2.0]],
        vec![Some(true), Some(false)],
    )
    .unwrap();
    std::thread::scope(|scope| {
        for examples in [constant, few, usual] {
            let lightgbm = &lightgbm;
            scope.spawn(move || {
                let model = lightgbm
                    .fit(&Training::new(examples.all()).unwrap(), 0)
                    .unwrap();
                assert_eq!(
                    model.predict(&examples.all()).unwrap().len(),
                    examples.len()
                );
                assert_eq!(
                    model.contributions(&examples.all()).unwrap().len(),
                    examples.len()
                );
            });
        }
    });
    for learner in all_learners() {
        let examples = signal(200, 2);
        learner
            .fit(&Training::new(examples.all()).unwrap(), 0)
            .unwrap();
    }
}

#[test]
fn learners_write_nothing() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([PROBE, "--exact", "--nocapture"])
        .output()
        .unwrap();
    let written = [output.stdout, output.stderr].concat();
    let written = String::from_utf8_lossy(&written);
    assert!(
        output.status.success() && written.contains("1 passed"),
        "{written}"
    );
    assert!(!written.to_lowercase().contains("lightgbm"), "{written}");
}

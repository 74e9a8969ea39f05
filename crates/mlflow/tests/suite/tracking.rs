//! Experiments and runs.

use std::collections::BTreeSet;

use safra_mlflow::{Artifact, Error, LifecycleStage, RunStatus, tags};

use super::super::common::{NOW, map};
use super::{Behaviour, World, new_run};

pub const BEHAVIOURS: &[Behaviour] = &[
    ("an experiment is made once", an_experiment_is_made_once),
    (
        "a deleted experiment keeps its name",
        a_deleted_experiment_keeps_its_name,
    ),
    ("what is missing is named", what_is_missing_is_named),
    ("a run reads back", a_run_reads_back),
    ("runs are found by tag", runs_are_found_by_tag),
    ("many runs are found", many_runs_are_found),
    ("a deleted run is only read", a_deleted_run_is_only_read),
];

fn an_experiment_is_made_once(world: &World<'_>) {
    let store = world.store;
    let name = world.name("1e5: 'não'?");
    let made = store.get_or_create_experiment(&name, NOW).unwrap();
    assert_eq!(
        store.get_or_create_experiment(&name, NOW + 5).unwrap(),
        made
    );
    assert_eq!(made.lifecycle_stage, LifecycleStage::Active);
    assert!(made.creation_time.is_some() && made.artifact_location.contains(":/"));
    let tags = map(&[("team", "growth"), ("note", "two\nlines é")]);
    store
        .set_experiment_tags(&made.experiment_id, &tags)
        .unwrap();
    assert_eq!(
        store.get_experiment(&made.experiment_id).unwrap().tags,
        tags
    );
    assert_eq!(
        store.get_experiment_by_name(&name).unwrap().unwrap().tags,
        tags
    );
    assert_eq!(
        store.get_experiment_by_name(&world.name("none")).unwrap(),
        None
    );
    let listed = store.list_experiments().unwrap();
    let listed: Vec<_> = listed
        .iter()
        .map(|experiment| experiment.name.as_str())
        .collect();
    assert!(
        listed.contains(&"Default") && listed.contains(&name.as_str()),
        "{listed:?}"
    );
    assert!(store.get_or_create_experiment("", NOW).is_err());
}

fn a_deleted_experiment_keeps_its_name(world: &World<'_>) {
    let store = world.store;
    let run_id = world.run("r", &[]);
    let (id, name) = (world.experiment(), world.name("churn"));
    store.delete_experiment(&id, NOW + 1).unwrap();
    let deleted = store.get_experiment(&id).unwrap();
    assert_eq!(deleted.lifecycle_stage, LifecycleStage::Deleted);
    assert!(
        store
            .list_experiments()
            .unwrap()
            .iter()
            .all(|listed| listed.name != name)
    );
    assert_eq!(
        store.get_run(&run_id).unwrap().lifecycle_stage,
        LifecycleStage::Deleted
    );
    for refused in [
        store.get_or_create_experiment(&name, NOW).map(drop),
        store.set_experiment_tags(&id, &map(&[("a", "b")])),
        store.create_run(&new_run(&id, "x", &[])).map(drop),
        store.delete_experiment(&id, NOW),
    ] {
        assert!(
            matches!(
                refused,
                Err(Error::Deleted {
                    kind: "experiment",
                    ..
                })
            ),
            "{refused:?}"
        );
    }
    store.restore_experiment(&id, NOW + 2).unwrap();
    assert_eq!(world.experiment(), id);
    assert_eq!(
        store.get_run(&run_id).unwrap().lifecycle_stage,
        LifecycleStage::Active
    );
    let again = store.restore_experiment(&id, NOW + 3);
    assert!(matches!(again, Err(Error::NotFound { .. })), "{again:?}");
}

fn what_is_missing_is_named(world: &World<'_>) {
    let store = world.store;
    world.run("r", &[]);
    let none = "0123456789abcdef0123456789abcdef";
    let run = new_run("424242", "x", &[]);
    for (result, expected) in [
        (
            store.get_experiment("424242").map(drop),
            "experiment not found: 424242",
        ),
        (
            store.get_experiment("../0").map(drop),
            "experiment not found: ../0",
        ),
        (
            store.create_run(&run).map(drop),
            "experiment not found: 424242",
        ),
        (
            store.search_runs(&["424242"], &map(&[])).map(drop),
            "experiment not found: 424242",
        ),
        (
            store.search_logged_models(&["424242"]).map(drop),
            "experiment not found: 424242",
        ),
        (
            store.delete_experiment("424242", NOW),
            "experiment not found: 424242",
        ),
        (store.get_run("../x").map(drop), "run not found: ../x"),
        (
            store.get_metric_history(none, "auc").map(drop),
            &format!("run not found: {none}"),
        ),
        (
            store.log_params(none, &map(&[("a", "1")])),
            &format!("run not found: {none}"),
        ),
        (
            store.end_run(none, RunStatus::Failed, NOW),
            &format!("run not found: {none}"),
        ),
        (
            store.delete_run(none, NOW),
            &format!("run not found: {none}"),
        ),
        (
            store.list_artifacts(none, "").map(drop),
            &format!("run not found: {none}"),
        ),
        (
            store.get_logged_model("m-0").map(drop),
            "logged model not found: m-0",
        ),
        (
            store.list_model_artifacts("m-0", "").map(drop),
            "logged model not found: m-0",
        ),
    ] {
        assert_eq!(result.unwrap_err().to_string(), expected);
    }
}

fn a_run_reads_back(world: &World<'_>) {
    let store = world.store;
    let run_id = world.run("2024-01-01", &[(tags::USER, "ana"), ("half", "yes")]);
    let started = store.get_run(&run_id).unwrap();
    assert_eq!(
        (started.status, started.end_time),
        (RunStatus::Running, None)
    );

    let params = [("tree/depth", "6"), ("learner", "árvores\nduas")];
    store.log_params(&run_id, &map(&params)).unwrap();
    let more = [("tree/depth", "6"), ("seed", "")];
    store.log_params(&run_id, &map(&more)).unwrap();
    let tags = [("half", "no"), (tags::RUN_NAME, "renamed")];
    store.set_tags(&run_id, &map(&tags)).unwrap();
    store
        .end_run(&run_id, RunStatus::Finished, NOW + 9)
        .unwrap();

    let run = store.get_run(&run_id).unwrap();
    assert_eq!(run.run_name, "renamed");
    assert_eq!((run.status, run.start_time), (RunStatus::Finished, NOW));
    assert_eq!(run.end_time, Some(NOW + 9));
    assert_eq!(run.params, map(&[params[0], params[1], more[1]]));
    assert_eq!(run.tags, map(&[(tags::USER, "ana"), tags[0], tags[1]]));
    let other = new_run(&world.experiment(), "x", &[(tags::RUN_NAME, "y")]);
    assert!(matches!(
        store.create_run(&other),
        Err(Error::Invalid { .. })
    ));
}

fn runs_are_found_by_tag(world: &World<'_>) {
    let parent = world.run("backtest", &[("kind", "backtest")]);
    let fold = |name: &str| {
        world.run(
            name,
            &[
                (tags::PARENT_RUN_ID, &parent),
                ("kind", "fold"),
                ("in words", "it's \"so\""),
            ],
        )
    };
    let (first, second) = (fold("fold 1"), fold("fold 2"));
    let experiment = world.experiment();
    let search = |wanted: &[(&str, &str)]| {
        let runs = world
            .store
            .search_runs(&[&experiment], &map(wanted))
            .unwrap();
        runs.into_iter()
            .map(|run| run.run_id)
            .collect::<BTreeSet<_>>()
    };
    let nested = search(&[(tags::PARENT_RUN_ID, &parent)]);
    assert_eq!(nested, BTreeSet::from([first.clone(), second.clone()]));
    assert_eq!(search(&[("in words", "it's \"so\"")]), nested);
    let one = search(&[("kind", "fold"), (tags::RUN_NAME, "fold 2")]);
    assert_eq!(one, BTreeSet::from([second]));
    assert_eq!(search(&[("kind", "FOLD")]), BTreeSet::new());
    assert_eq!(search(&[]).len(), 3);
}

fn many_runs_are_found(world: &World<'_>) {
    let experiment = world.experiment();
    let mut expected = Vec::new();
    for number in 0..7 {
        let mut run = new_run(&experiment, &format!("run {number}"), &[]);
        run.start_time = NOW + number;
        expected.insert(0, world.store.create_run(&run).unwrap().run_id);
    }
    let found = world.store.search_runs(&[&experiment], &map(&[])).unwrap();
    let found: Vec<_> = found.into_iter().map(|run| run.run_id).collect();
    assert_eq!(found, expected);
}

fn a_deleted_run_is_only_read(world: &World<'_>) {
    let store = world.store;
    let run_id = world.run("r", &[]);
    store.delete_run(&run_id, NOW + 1).unwrap();
    let run = store.get_run(&run_id).unwrap();
    assert_eq!(run.lifecycle_stage, LifecycleStage::Deleted);
    for refused in [
        store.log_params(&run_id, &map(&[("a", "1")])),
        store.set_tags(&run_id, &map(&[("a", "1")])),
        store.end_run(&run_id, RunStatus::Finished, NOW),
        store.log_artifact(&run_id, "a", Artifact::Bytes(b"")),
    ] {
        assert!(
            matches!(refused, Err(Error::Deleted { kind: "run", .. })),
            "{refused:?}"
        );
    }
    let experiment = world.experiment();
    assert_eq!(store.search_runs(&[&experiment], &map(&[])).unwrap(), []);
    for _ in 0..2 {
        store.restore_run(&run_id).unwrap();
    }
    assert_eq!(
        store.search_runs(&[&experiment], &map(&[])).unwrap().len(),
        1
    );
    store.log_params(&run_id, &map(&[("a", "1")])).unwrap();
}

//! Experiments, runs and what is logged in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use safra_mlflow::{Artifact, Batch, Error, LifecycleStage, Metric, RunStatus, tags};

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
    ("metrics read back", metrics_read_back),
    ("large batches read back", large_batches_read_back),
    ("runs are found by tag", runs_are_found_by_tag),
    ("many runs are found", many_runs_are_found),
    ("a param never changes", a_param_never_changes),
    (
        "a refused batch writes nothing",
        a_refused_batch_writes_nothing,
    ),
    ("a deleted run is only read", a_deleted_run_is_only_read),
    ("artifacts read back", artifacts_read_back),
    ("artifacts are listed", artifacts_are_listed),
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

fn metrics_read_back(world: &World<'_>) {
    let store = world.store;
    let run_id = world.run("r", &[]);
    let log = |metrics: &[Metric]| store.log_metrics(&run_id, metrics).unwrap();
    log(&[
        Metric::new("auc", 0.7, NOW + 2, 2),
        Metric::new("auc", 0.9, NOW + 3, 1),
    ]);
    log(&[Metric::new("auc", 0.1 + 0.2, NOW + 4, 2)]);
    log(&[
        Metric::new("loss/train", -1e300, NOW, 0),
        Metric::new("empty", f64::NAN, NOW, -1),
        Metric::new("tiny", 5e-324, NOW, 0),
    ]);

    let latest = store.get_run(&run_id).unwrap().metrics;
    assert_eq!(latest["auc"], Metric::new("auc", 0.1 + 0.2, NOW + 4, 2));
    assert_eq!(latest["loss/train"].value, -1e300);
    assert_eq!(latest["tiny"].value, 5e-324);
    assert!(latest["empty"].value.is_nan() && latest["empty"].step == -1);
    let history = store.get_metric_history(&run_id, "auc").unwrap();
    let mut values: Vec<f64> = history.iter().map(|metric| metric.value).collect();
    values.sort_by(f64::total_cmp);
    assert_eq!(values, [0.1 + 0.2, 0.7, 0.9]);
    assert_eq!(store.get_metric_history(&run_id, "loss").unwrap(), []);
    assert!(store.get_metric_history(&run_id, "../meta.yaml").is_err());
}

fn large_batches_read_back(world: &World<'_>) {
    let store = world.store;
    let run_id = world.run("r", &[]);
    let pairs = |count: usize, value: &str| -> BTreeMap<String, String> {
        (0..count)
            .map(|key| (format!("key {key}"), format!("{value} {key}")))
            .collect()
    };
    let batch = Batch {
        metrics: (0..2_100)
            .map(|step| Metric::new("loss", step as f64 / 7.0, NOW + step, step))
            .collect(),
        params: pairs(230, &"p".repeat(5_900)),
        tags: pairs(120, "t"),
    };
    store.log_batch(&run_id, &batch).unwrap();
    let run = store.get_run(&run_id).unwrap();
    assert_eq!(run.params, batch.params);
    assert!(
        batch
            .tags
            .iter()
            .all(|(key, value)| run.tags.get(key) == Some(value))
    );
    assert_eq!(run.metrics["loss"], batch.metrics[2_099]);
    assert_eq!(
        store.get_metric_history(&run_id, "loss").unwrap(),
        batch.metrics
    );
    store.log_batch(&run_id, &Batch::default()).unwrap();
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

fn a_param_never_changes(world: &World<'_>) {
    let run_id = world.run("r", &[]);
    let log = |params: &[(&str, &str)]| world.store.log_params(&run_id, &map(params));
    log(&[("seed", "1")]).unwrap();
    let error = log(&[("depth", "6"), ("seed", "2")]).unwrap_err();
    let Error::ParamChanged {
        key, current, new, ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(
        (key.as_str(), current.as_str(), new.as_str()),
        ("seed", "1", "2")
    );
    let many: BTreeMap<_, _> = (0..150)
        .map(|key| (format!("a{key}"), String::new()))
        .collect();
    let with_seed = many
        .into_iter()
        .chain([("seed".into(), "3".into())])
        .collect();
    let error = world.store.log_params(&run_id, &with_seed).unwrap_err();
    assert!(matches!(error, Error::ParamChanged { .. }), "{error}");
    let logged = world.store.get_run(&run_id).unwrap().params;
    assert_eq!(logged, map(&[("seed", "1")]));
}

fn a_refused_batch_writes_nothing(world: &World<'_>) {
    let run_id = world.run("r", &[]);
    let long = "x".repeat(6_001);
    for (refused, expected) in [
        (("a\tb", "1"), "invalid param key: \"a\\tb\""),
        (
            ("notes", long.as_str()),
            "param value is too long: \"notes\" has 6001 characters",
        ),
        ((long.as_str(), "1"), "param key is too long"),
    ] {
        let error = world
            .store
            .log_params(&run_id, &map(&[("depth", "6"), refused]));
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with(expected) && error.contains("\nhint: "),
            "{error}"
        );
    }
    let negative = Metric::new("late", 1.0, -1, 0);
    let of_no_model = Metric::new("late", 1.0, NOW, 0).of_model("m-0");
    for refused in [negative, of_no_model] {
        let batch = Batch {
            metrics: vec![Metric::new("auc", 1.0, NOW, 0), refused],
            params: map(&[("depth", "6")]),
            tags: map(&[("half", "yes")]),
        };
        assert!(world.store.log_batch(&run_id, &batch).is_err());
    }
    let run = world.store.get_run(&run_id).unwrap();
    assert!(run.params.is_empty() && run.metrics.is_empty() && !run.tags.contains_key("half"));
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

fn artifacts_read_back(world: &World<'_>) {
    let store = world.store;
    let run_id = world.run("r", &[]);
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source.txt");
    fs::write(&source, "from a file").unwrap();
    let large: Vec<u8> = (0..3_000_000_u32).map(|byte| (byte % 251) as u8).collect();
    let log = |path, content| store.log_artifact(&run_id, path, content);
    log("plots/gain (1) é?.svg", Artifact::Bytes(b"<svg>1</svg>")).unwrap();
    log("plots/gain (1) é?.svg", Artifact::Bytes(b"<svg>22</svg>")).unwrap();
    log("notes.txt", Artifact::File(&source)).unwrap();
    log("large", Artifact::Bytes(&large)).unwrap();
    log("empty", Artifact::Bytes(b"")).unwrap();
    assert!(log("../x", Artifact::Bytes(b"")).is_err());
    assert!(log("none", Artifact::File(Path::new("/none"))).is_err());

    let read = |path| store.read_artifact(&run_id, path);
    assert_eq!(read("plots/gain (1) é?.svg").unwrap(), b"<svg>22</svg>");
    assert_eq!(read("notes.txt").unwrap(), b"from a file");
    assert!(read("large").unwrap() == large, "large");
    assert_eq!(read("empty").unwrap(), b"");
    assert!(matches!(
        read("none"),
        Err(Error::NotFound {
            kind: "artifact",
            ..
        })
    ));
    assert!(read("../meta.yaml").is_err());
}

fn artifacts_are_listed(world: &World<'_>) {
    let store = world.store;
    let run_id = world.run("r", &[]);
    for path in ["plots/gain.svg", "notes.txt"] {
        store
            .log_artifact(&run_id, path, Artifact::Bytes(path.as_bytes()))
            .unwrap();
    }
    let list = |path| {
        let infos = store.list_artifacts(&run_id, path).unwrap();
        infos
            .into_iter()
            .map(|i| (i.path, i.is_dir, i.file_size))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        list(""),
        [("notes.txt".into(), false, 9), ("plots".into(), true, 0)]
    );
    assert_eq!(list("plots"), [("plots/gain.svg".into(), false, 14)]);
    assert_eq!(list("plots/gain.svg"), []);
    assert_eq!(list("none"), []);
    assert!(store.list_artifacts(&run_id, "..").is_err());
}

//! What is logged in runs: params, metrics and artifacts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use safra_mlflow::{Artifact, Batch, Error, Metric};

use super::super::common::{NOW, map};
use super::{Behaviour, World};

pub const BEHAVIOURS: &[Behaviour] = &[
    ("metrics read back", metrics_read_back),
    ("large batches read back", large_batches_read_back),
    ("a param never changes", a_param_never_changes),
    (
        "a refused batch writes nothing",
        a_refused_batch_writes_nothing,
    ),
    ("artifacts read back", artifacts_read_back),
    ("artifacts are listed", artifacts_are_listed),
];

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

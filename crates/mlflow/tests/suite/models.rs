//! Logged models.

use std::collections::{BTreeMap, BTreeSet};

use safra_mlflow::{Artifact, Error, LoggedModelStatus, Metric, ModelFile, ModelOutput, log_model};

use super::super::common::{NOW, map};
use super::{Behaviour, World, new_logged_model, text_model};

pub const BEHAVIOURS: &[Behaviour] = &[
    ("a logged model reads back", a_logged_model_reads_back),
    ("a logged model has metrics", a_logged_model_has_metrics),
    (
        "a logged model has the files of an MLflow model",
        a_logged_model_has_files,
    ),
    (
        "a model that cannot be written is failed",
        a_model_that_cannot_be_written_is_failed,
    ),
    (
        "a logged model may have many params",
        a_logged_model_may_have_many_params,
    ),
    ("outputs are linked once", outputs_are_linked_once),
];

fn a_logged_model_reads_back(world: &World<'_>) {
    let store = world.store;
    let (run_id, new, logged) = world.logged_model();
    assert_eq!(
        (logged.status, &logged.params),
        (LoggedModelStatus::Ready, &new.params)
    );
    assert_eq!(
        (&logged.name, &logged.model_type),
        (&new.name, &new.model_type)
    );
    assert_eq!(logged.source_run_id.as_ref(), Some(&run_id));
    let found = store.search_logged_models(&[&new.experiment_id]).unwrap();
    assert_eq!(found, std::slice::from_ref(&logged));
    store
        .set_logged_model_tags(&logged.model_id, &map(&[("half", "yes")]))
        .unwrap();
    let read = store.get_logged_model(&logged.model_id).unwrap();
    let tags = new
        .tags
        .into_iter()
        .chain(map(&[("half", "yes")]))
        .collect();
    assert_eq!(read.tags, tags);
    let refused = store.set_logged_model_tags("m-0", &map(&[("a", "b")]));
    assert!(
        matches!(refused, Err(Error::NotFound { .. })),
        "{refused:?}"
    );
    let mut unnamed = new_logged_model(&world.experiment(), None);
    unnamed.name = "a/b".into();
    assert!(matches!(
        store.create_logged_model(&unnamed),
        Err(Error::Invalid { .. })
    ));
}

fn a_logged_model_has_metrics(world: &World<'_>) {
    let store = world.store;
    let (run_id, _, logged) = world.logged_model();
    let measured = |value, step| Metric::new("auc", value, NOW, step).of_model(&logged.model_id);
    store
        .log_metrics(
            &run_id,
            &[
                measured(0.8, 3),
                measured(0.9, 2),
                Metric::new("rows", 10.0, NOW, 0),
            ],
        )
        .unwrap();
    let read = store.get_logged_model(&logged.model_id).unwrap();
    let expected = Metric::new("auc", 0.8, NOW, 3);
    assert_eq!(
        read.metrics,
        BTreeMap::from([("auc".into(), expected.clone())])
    );
    let run = store.get_run(&run_id).unwrap();
    assert_eq!((run.metrics.len(), &run.metrics["auc"]), (2, &expected));
}

fn a_logged_model_has_files(world: &World<'_>) {
    let (_, _, logged) = world.logged_model();
    let list = |path| {
        let infos = world
            .store
            .list_model_artifacts(&logged.model_id, path)
            .unwrap();
        infos
            .into_iter()
            .map(|info| info.path)
            .collect::<BTreeSet<_>>()
    };
    let names = [
        "MLmodel",
        "code",
        "conda.yaml",
        "data",
        "python_env.yaml",
        "requirements.txt",
    ];
    assert_eq!(list(""), BTreeSet::from(names.map(str::to_owned)));
    assert_eq!(
        list("data"),
        BTreeSet::from(["data/weights.txt".to_owned()])
    );
    let read = |path| world.store.read_model_artifact(&logged.model_id, path);
    assert_eq!(read("data/weights.txt").unwrap(), b"1 2 3");
    let mlmodel = String::from_utf8(read("MLmodel").unwrap()).unwrap();
    assert!(
        mlmodel.contains(&format!("model_id: \"{}\"\n", logged.model_id)),
        "{mlmodel}"
    );
    assert!(matches!(
        read("none"),
        Err(Error::NotFound {
            kind: "artifact",
            ..
        })
    ));
    let none = world
        .store
        .log_model_artifact("m-0", "a", Artifact::Bytes(b""));
    assert!(matches!(
        none,
        Err(Error::NotFound {
            kind: "logged model",
            ..
        })
    ));
}

fn a_model_that_cannot_be_written_is_failed(world: &World<'_>) {
    let experiment = world.experiment();
    let new = new_logged_model(&experiment, None);
    for data in [vec![], vec![ModelFile::new("../out", "1")]] {
        assert!(log_model(world.store, &new, &text_model(data)).is_err());
    }
    let models = world.store.search_logged_models(&[&experiment]).unwrap();
    let statuses: Vec<_> = models.iter().map(|model| model.status).collect();
    assert_eq!(statuses, [LoggedModelStatus::Failed; 2]);
}

fn a_logged_model_may_have_many_params(world: &World<'_>) {
    let mut new = new_logged_model(&world.experiment(), None);
    new.params = (0..250)
        .map(|key| (format!("key {key}"), format!("{key}")))
        .collect();
    let made = world.store.create_logged_model(&new).unwrap();
    assert_eq!(
        (made.status, &made.params),
        (LoggedModelStatus::Pending, &new.params)
    );
    assert_eq!(world.store.get_logged_model(&made.model_id).unwrap(), made);
}

fn outputs_are_linked_once(world: &World<'_>) {
    let store = world.store;
    let (run_id, new, logged) = world.logged_model();
    let other = store.create_logged_model(&new).unwrap();
    let output = |model_id: &str, step| ModelOutput {
        model_id: model_id.to_owned(),
        step,
    };
    let both = [output(&logged.model_id, 7), output(&other.model_id, 2)];
    store.log_outputs(&run_id, &both).unwrap();
    store.log_outputs(&run_id, &both).unwrap();
    let mut expected = vec![output(&logged.model_id, 0), output(&other.model_id, 2)];
    expected.sort_by(|a, b| a.model_id.cmp(&b.model_id));
    assert_eq!(store.get_run(&run_id).unwrap().outputs, expected);
    assert!(store.log_outputs(&run_id, &[output("m-0", 0)]).is_err());
}

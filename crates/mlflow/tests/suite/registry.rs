//! The model registry.

use std::collections::BTreeMap;

use safra_mlflow::{Error, NewModelVersion, NewRegisteredModel, tags};

use super::super::common::{NOW, map};
use super::{Behaviour, World, new_registered_model, new_version};

pub const BEHAVIOURS: &[Behaviour] = &[
    (
        "a version knows where it comes from",
        a_version_knows_where_it_comes_from,
    ),
    (
        "a version may be read off a location",
        a_version_may_be_of_a_location,
    ),
    ("a version needs a source", a_version_needs_a_source),
    (
        "a registered model is made once",
        a_registered_model_is_made_once,
    ),
    ("many versions are listed", many_versions_are_listed),
    ("an alias moves", an_alias_moves),
    ("an alias is removed", an_alias_is_removed),
    (
        "an alias needs a version and a name of its own",
        an_alias_needs_a_version_and_a_name,
    ),
    ("registry tags are set", registry_tags_are_set),
];

fn a_version_knows_where_it_comes_from(world: &World<'_>) {
    let store = world.store;
    let name = world.name("churn");
    let (run_id, _, logged) = world.logged_model();
    store
        .get_or_create_registered_model(&new_registered_model(&name))
        .unwrap();
    let version = NewModelVersion {
        description: Some("first: ok".into()),
        tags: map(&[("auc", "0.8")]),
        ..new_version(&name, &logged)
    };
    let made = store.create_model_version(&version).unwrap();
    assert_eq!((made.version, made.run_id.as_ref()), (1, Some(&run_id)));
    assert_eq!(made.model_id.as_ref(), Some(&logged.model_id));
    assert_eq!(
        (&made.source, &made.storage_location),
        (&version.source, &logged.artifact_location)
    );
    assert_eq!(
        (&made.tags, &made.description),
        (&version.tags, &version.description)
    );
    assert_eq!(store.get_model_version(&name, 1).unwrap(), made);
    let copy = NewModelVersion {
        source: format!("models:/{name}/1"),
        model_id: None,
        ..new_version(&name, &logged)
    };
    let copy = store.create_model_version(&copy).unwrap();
    assert_eq!(
        (copy.version, copy.storage_location),
        (2, logged.artifact_location)
    );
    let read = store.get_logged_model(&logged.model_id).unwrap();
    let versions = &read.tags[tags::MODEL_VERSIONS];
    let versions: serde_json::Value = serde_json::from_str(versions).unwrap();
    assert_eq!(versions[0]["name"], name);
}

fn a_version_may_be_of_a_location(world: &World<'_>) {
    let name = world.name("churn");
    let (run_id, _, logged) = world.logged_model();
    world
        .store
        .get_or_create_registered_model(&new_registered_model(&name))
        .unwrap();
    let version = NewModelVersion {
        source: logged.artifact_location.clone(),
        run_id: Some(run_id.clone()),
        ..new_version(&name, &logged)
    };
    let made = world.store.create_model_version(&version).unwrap();
    assert_eq!(
        (made.model_id, made.run_id),
        (Some(logged.model_id), Some(run_id))
    );
    assert_eq!(made.storage_location, logged.artifact_location);
}

fn a_version_needs_a_source(world: &World<'_>) {
    let store = world.store;
    let name = world.name("churn");
    world.version(&name);
    let (_, _, logged) = world.logged_model();
    for source in ["m-none", "none/9", "churn@champion", "churn/Staging"] {
        let source = format!("models:/{source}");
        let version = NewModelVersion {
            source,
            model_id: None,
            ..new_version(&name, &logged)
        };
        assert!(
            store.create_model_version(&version).is_err(),
            "{}",
            version.source
        );
    }
    let no_model = NewModelVersion {
        model_id: Some("m-0".into()),
        ..new_version(&name, &logged)
    };
    let refused = store.create_model_version(&no_model).unwrap_err();
    assert_eq!(refused.to_string(), "logged model not found: m-0");
    let none = world.name("none");
    let refused = store
        .create_model_version(&new_version(&none, &logged))
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("registered model not found: {none}")
    );
    assert_eq!(store.list_model_versions(&name).unwrap().len(), 1);
    assert!(store.list_model_versions(&none).is_err());
}

fn a_registered_model_is_made_once(world: &World<'_>) {
    let store = world.store;
    let name = world.name("it's \"churn\" 100");
    assert_eq!(store.get_registered_model(&name).unwrap(), None);
    let made = store
        .get_or_create_registered_model(&new_registered_model(&name))
        .unwrap();
    assert_eq!(made.description.as_deref(), Some("who leaves"));
    assert_eq!(made.tags, map(&[("task", "classification")]));
    let other = NewRegisteredModel {
        description: None,
        tags: BTreeMap::new(),
        ..new_registered_model(&name)
    };
    assert_eq!(store.get_or_create_registered_model(&other).unwrap(), made);
    assert_eq!([world.version(&name), world.version(&name)], [1, 2]);
    let versions = store.list_model_versions(&name).unwrap();
    assert_eq!(
        versions
            .iter()
            .map(|version| version.version)
            .collect::<Vec<_>>(),
        [1, 2]
    );
    let listed = store.list_registered_models().unwrap();
    let ours: Vec<_> = listed.iter().filter(|model| model.name == name).collect();
    assert_eq!(ours.len(), 1);
    assert!(matches!(
        store.get_registered_model("a/b"),
        Err(Error::Invalid { .. })
    ));
}

fn many_versions_are_listed(world: &World<'_>) {
    let name = world.name("churn");
    let numbers: Vec<u32> = (0..5).map(|_| world.version(&name)).collect();
    world.version(&world.name("churn 2"));
    let listed = world.store.list_model_versions(&name).unwrap();
    assert!(
        listed
            .iter()
            .all(|version| version.model_id.is_some() && version.name == name)
    );
    let listed: Vec<u32> = listed.into_iter().map(|version| version.version).collect();
    assert_eq!((&listed, &listed), (&numbers, &(1..=5).collect()));
}

fn an_alias_moves(world: &World<'_>) {
    let store = world.store;
    let name = world.name("churn");
    assert_eq!([world.version(&name), world.version(&name)], [1, 2]);
    let set = |alias, version| store.set_registered_model_alias(&name, alias, version, NOW + 9);
    let get = |alias| {
        let version = store.get_model_version_by_alias(&name, alias).unwrap();
        version.map(|version| (version.version, version.aliases))
    };
    assert_eq!(get("champion"), None);
    set("champion", 2).unwrap();
    set("first", 1).unwrap();
    assert_eq!(get("champion"), Some((2, vec!["champion".into()])));
    set("champion", 1).unwrap();
    let both = vec!["champion".to_owned(), "first".to_owned()];
    assert_eq!(get("champion"), Some((1, both.clone())));
    assert_eq!(get("latest"), Some((2, vec![])));
    let model = store.get_registered_model(&name).unwrap().unwrap();
    assert_eq!(
        model.aliases,
        BTreeMap::from([("champion".into(), 1), ("first".into(), 1)])
    );
    let listed = store.list_model_versions(&name).unwrap();
    let aliases: Vec<_> = listed.into_iter().map(|version| version.aliases).collect();
    assert_eq!(aliases, [both, vec![]]);
}

fn an_alias_is_removed(world: &World<'_>) {
    let store = world.store;
    let name = world.name("churn");
    world.version(&name);
    store
        .set_registered_model_alias(&name, "champion", 1, NOW)
        .unwrap();
    for time in [NOW + 13, NOW + 14] {
        store
            .delete_registered_model_alias(&name, "champion", time)
            .unwrap();
        assert_eq!(
            store.get_model_version_by_alias(&name, "champion").unwrap(),
            None
        );
    }
}

fn an_alias_needs_a_version_and_a_name(world: &World<'_>) {
    let store = world.store;
    let (name, none) = (world.name("churn"), world.name("none"));
    world.version(&name);
    for (model, alias, version) in [
        (&name, "champion", 2),
        (&name, "latest", 1),
        (&name, "v1", 1),
        (&none, "champion", 1),
    ] {
        let refused = store.set_registered_model_alias(model, alias, version, NOW);
        assert!(refused.is_err(), "{alias}");
    }
    assert!(store.get_model_version_by_alias(&none, "champion").is_err());
}

fn registry_tags_are_set(world: &World<'_>) {
    let store = world.store;
    let (name, none) = (world.name("churn"), world.name("none"));
    world.version(&name);
    store
        .set_registered_model_tags(&name, &map(&[("owner", "ana")]), NOW + 2)
        .unwrap();
    let long = "é".repeat(9_000);
    store
        .set_model_version_tags(&name, 1, &map(&[("auc", "0.8"), ("why", &long)]), NOW + 3)
        .unwrap();
    let model = store.get_registered_model(&name).unwrap().unwrap();
    assert_eq!(
        model.tags,
        map(&[("owner", "ana"), ("task", "classification")])
    );
    let version = store.get_model_version(&name, 1).unwrap();
    assert_eq!(version.tags, map(&[("auc", "0.8"), ("why", &long)]));
    let refused = store
        .set_model_version_tags(&name, 2, &map(&[]), NOW)
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("model version not found: {name}/2")
    );
    assert!(
        store
            .set_registered_model_tags(&none, &map(&[]), NOW)
            .is_err()
    );
}

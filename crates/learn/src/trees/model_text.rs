//! LightGBM's text format of a model, read and checked: what is no model gives a reason, not a wrong score.

use std::collections::HashMap;
use std::str::FromStr;

use super::tree::{Child, Leaf, Missing, Node, Rule, Tree};

/// A split by categories, in the bits of `decision_type`.
const CATEGORICAL: u8 = 1;

/// Missing values go left, in the bits of `decision_type`.
const MISSING_LEFT: u8 = 2;

/// What the sum of the trees is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Objective {
    /// Log odds of the positive class.
    Binary,
    /// The value itself.
    Regression,
    /// What whoever grew the trees along a loss of their own takes it for.
    Custom,
}

/// A model of one output.
#[derive(Clone, Debug)]
pub(crate) struct ModelText {
    /// Number of features.
    pub(crate) features: usize,
    /// What the sum of the trees is.
    pub(crate) objective: Objective,
    /// Whether the score is the mean of the trees instead of their sum.
    pub(crate) averaged: bool,
    /// The trees.
    pub(crate) trees: Vec<Tree>,
}

type Fields<'t> = HashMap<&'t str, &'t str>;

impl ModelText {
    /// Reads a model.
    ///
    /// # Errors
    /// If the text is none, or a model of a kind that Safra does not make, such as several classes or linear trees: what is wrong,
    /// to follow "the file …".
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        if lines.next() != Some("tree") {
            return Err("is not a LightGBM model".to_owned());
        }
        let header = fields(lines.by_ref().take_while(|line| !line.is_empty()));
        if count(&header, "num_class")? != 1 || count(&header, "num_tree_per_iteration")? != 1 {
            return Err("is a model of several classes".to_owned());
        }
        let features = count(&header, "max_feature_idx")? + 1;
        let objective = match header.get("objective") {
            None => Objective::Custom,
            Some(&"binary sigmoid:1") => Objective::Binary,
            Some(&"regression") => Objective::Regression,
            Some(_) => return Err("has an unknown `objective`".to_owned()),
        };
        let mut trees = Vec::new();
        loop {
            match lines.next() {
                Some(line) if line.starts_with("Tree=") => {}
                Some("") => continue,
                Some("end of trees") => break,
                _ => return Err("ends within the trees".to_owned()),
            }
            let tree = fields(lines.by_ref().take_while(|line| !line.is_empty()));
            let tree = parse_tree(&tree, features);
            trees.push(tree.map_err(|reason| format!("{reason} in tree {}", trees.len()))?);
        }
        Ok(Self {
            features,
            objective,
            averaged: header.contains_key("average_output"),
            trees,
        })
    }
}

/// The fields of lines of the form `name=value`, or `name` alone.
fn fields<'t>(lines: impl Iterator<Item = &'t str>) -> Fields<'t> {
    lines
        .map(|line| line.split_once('=').unwrap_or((line, "")))
        .collect()
}

fn field<'t>(fields: &Fields<'t>, name: &str) -> Result<&'t str, String> {
    let value = fields.get(name).copied();
    value.ok_or_else(|| format!("lacks `{name}`"))
}

/// A number of things, which LightGBM keeps in 32 bits.
fn count(fields: &Fields<'_>, name: &str) -> Result<usize, String> {
    Ok(number::<u32>(fields, name)? as usize)
}

fn number<T: FromStr>(fields: &Fields<'_>, name: &str) -> Result<T, String> {
    let value = field(fields, name)?;
    value
        .parse()
        .map_err(|_| format!("has no number for `{name}`"))
}

/// `length` numbers with spaces between them.
fn numbers<T: FromStr>(fields: &Fields<'_>, name: &str, length: usize) -> Result<Vec<T>, String> {
    let values = field(fields, name)?.split_ascii_whitespace();
    let values = values.map(str::parse).collect::<Result<Vec<T>, _>>();
    match values {
        Ok(values) if values.len() == length => Ok(values),
        _ => Err(format!("does not have {length} numbers for `{name}`")),
    }
}

fn parse_tree(fields: &Fields<'_>, features: usize) -> Result<Tree, String> {
    if number::<u8>(fields, "is_linear")? != 0 {
        return Err("has linear leaves".to_owned());
    }
    let leaves = count(fields, "num_leaves")?;
    let splits = leaves.checked_sub(1).ok_or("has no leaf")?;
    let values = numbers::<f64>(fields, "leaf_value", leaves)?;
    if values.iter().any(|value| !value.is_finite()) {
        return Err("has a leaf that is not finite".to_owned());
    }
    // A tree without a split does not count its rows.
    let rows = match splits {
        0 => vec![1],
        _ => numbers::<u32>(fields, "leaf_count", leaves)?,
    };
    if rows.contains(&0) {
        return Err("has a leaf without rows".to_owned());
    }
    let leaves = values.into_iter().zip(rows).map(|(value, rows)| Leaf {
        value,
        rows: f64::from(rows),
    });
    let nodes = match splits {
        0 => Vec::new(),
        _ => parse_nodes(fields, splits, features)?,
    };
    Ok(Tree::new(nodes, leaves.collect())?)
}

fn parse_nodes(fields: &Fields<'_>, splits: usize, features: usize) -> Result<Vec<Node>, String> {
    let feature = numbers::<usize>(fields, "split_feature", splits)?;
    if feature.iter().any(|&feature| feature >= features) {
        return Err("splits a feature that it does not have".to_owned());
    }
    let decision = numbers::<u8>(fields, "decision_type", splits)?;
    let threshold = numbers::<f64>(fields, "threshold", splits)?;
    let gain = numbers::<f32>(fields, "split_gain", splits)?;
    let left = numbers::<i64>(fields, "left_child", splits)?;
    let right = numbers::<i64>(fields, "right_child", splits)?;
    let sets = parse_sets(fields)?;
    let node = |place: usize| {
        Ok(Node {
            feature: feature[place],
            rule: rule(decision[place], threshold[place], &sets)?,
            left: child(left[place]),
            right: child(right[place]),
            gain: f64::from(gain[place].max(0.0)),
        })
    };
    (0..splits).map(node).collect()
}

/// The sets of categories, which splits name by their places.
fn parse_sets(fields: &Fields<'_>) -> Result<Vec<Vec<u32>>, String> {
    let sets = count(fields, "num_cat")?;
    if sets == 0 {
        return Ok(Vec::new());
    }
    let ends = numbers::<usize>(fields, "cat_boundaries", sets + 1)?;
    let words = numbers::<u32>(fields, "cat_threshold", ends[sets])?;
    let set = |bounds: &[usize]| words.get(bounds[0]..bounds[1]).map(<[u32]>::to_vec);
    let sets = ends.windows(2).map(set).collect::<Option<_>>();
    sets.ok_or_else(|| "has a set of categories that ends before it begins".to_owned())
}

fn rule(decision: u8, threshold: f64, sets: &[Vec<u32>]) -> Result<Rule, String> {
    if threshold.is_nan() {
        return Err("has a threshold that is not a number".to_owned());
    }
    if decision & CATEGORICAL != 0 {
        let set = sets.get(threshold as usize).cloned();
        return set
            .map(Rule::Categories)
            .ok_or_else(|| "splits by a set of categories that it does not have".to_owned());
    }
    Ok(Rule::Number {
        threshold,
        missing: match decision >> 2 & 3 {
            0 => Missing::Never,
            1 => Missing::Zero,
            2 => Missing::Nan,
            _ => return Err("has an unknown `decision_type`".to_owned()),
        },
        missing_left: decision & MISSING_LEFT != 0,
    })
}

/// LightGBM numbers leaves downwards from -1.
fn child(number: i64) -> Child {
    match usize::try_from(number) {
        Ok(node) => Child::Node(node),
        Err(_) => Child::Leaf(!number as usize),
    }
}

//! The champion, what drives it, and whom to act on.

use std::collections::BTreeMap;

use safra_learn::FeatureValue;
use safra_project::ActOn;
use safra_report::{
    Cell, Champion, Direction, FeatureText, Importance, ProblemReport, Reason, Scored as Part,
    ScoredRow,
};

use super::words::Words;
use crate::error::SafraError;
use crate::pipeline::scoring::Scored;
use crate::pipeline::training::{LEARNER, TRAIN_ROWS, TRAINED_AT};

/// Rows of the list to act on.
const TOP_ROWS: usize = 50;
/// Reasons of each of them.
const REASONS: usize = 3;

/// The learner of the champion.
pub fn learner(scored: &Scored) -> String {
    tag(scored, LEARNER)
}

/// Adds the champion, its features and its scores.
pub fn add(
    report: &mut ProblemReport,
    words: &Words<'_>,
    scored: &Scored,
) -> Result<(), SafraError> {
    let shown = &words.problem.features.show;
    for name in shown {
        if scored.prepared.examples.feature(name).is_none() {
            return Err(SafraError::Usage(format!(
                "{}: features.show: no such feature: {name}",
                words.problem.file
            )));
        }
    }
    report.champion = Some(Champion {
        learner: learner(scored),
        version: scored.version.version.to_string(),
        train_rows: tag(scored, TRAIN_ROWS).parse().unwrap_or_default(),
        features: scored.model.features().len() as u64,
        trained_until: tag(scored, TRAINED_AT),
    });
    report.importances = importances(words, scored)?;
    let families = Families::of(words, scored.contributions.features());
    let act_on_lowest = words.problem.act_on == ActOn::Lowest;
    let mut ranking = scored.ranking();
    if act_on_lowest {
        ranking.reverse();
    }
    let top = ranking.into_iter().take(TOP_ROWS);
    report.scored = Part {
        reference_date: scored.date.to_string(),
        scores: scored.scores.clone(),
        act_on_lowest,
        extra_columns: shown.iter().map(|name| words.feature(name)).collect(),
        top: top
            .map(|row| ScoredRow {
                entity_id: scored.prepared.dataset.entity(row),
                time: scored.prepared.dataset.event_time(row).unwrap_or_default(),
                score: scored.scores[row],
                reasons: families.reasons(scored, row),
                extra: shown.iter().map(|name| cell(scored, name, row)).collect(),
            })
            .collect(),
    };
    Ok(())
}

fn tag(scored: &Scored, name: &str) -> String {
    scored.version.tags.get(name).cloned().unwrap_or_default()
}

/// Shares of importance, the windows of a feature together: between windows that say nearly the same, a model
/// divides the weight by chance.
fn importances(words: &Words<'_>, scored: &Scored) -> Result<Vec<Importance>, SafraError> {
    let importance = scored.model.importance()?;
    let total: f64 = importance.iter().map(|feature| feature.importance).sum();
    let mut families: BTreeMap<String, Importance> = BTreeMap::new();
    for feature in importance.iter().filter(|f| f.importance > 0.0) {
        let (family, text) = words.family(&feature.feature);
        let held = families.entry(family).or_insert_with(|| Importance {
            feature: text,
            share: 0.0,
        });
        held.share += feature.importance / total;
    }
    Ok(families.into_values().collect())
}

/// Which features are windows of one.
struct Families {
    /// The features, in the order of contributions.
    features: Vec<FeatureText>,
    /// For each of them, the number of its family.
    numbers: Vec<usize>,
    /// How many families there are.
    count: usize,
}

impl Families {
    fn of(words: &Words<'_>, features: &[String]) -> Self {
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let number = |feature: &String| {
            let next = known.len();
            *known.entry(words.family(feature).0).or_insert(next)
        };
        let numbers = features.iter().map(number).collect();
        Self {
            count: known.len(),
            numbers,
            features: features.iter().map(|name| words.feature(name)).collect(),
        }
    }

    /// The families that moved a score most, each by the window that did most in its direction. Contributions
    /// add up on the scale of log odds, so that a family's is the sum of its windows'.
    fn reasons(&self, scored: &Scored, row: usize) -> Vec<Reason> {
        let contributions = scored.contributions.row(row);
        let mut sums = vec![0.0; self.count];
        for (&family, value) in self.numbers.iter().zip(contributions) {
            sums[family] += value;
        }
        let mut order: Vec<usize> = (0..self.count).filter(|&f| sums[f] != 0.0).collect();
        order.sort_by(|&a, &b| sums[b].abs().total_cmp(&sums[a].abs()).then(a.cmp(&b)));
        let strongest = |family: usize| {
            let members = (0..contributions.len()).filter(|&f| self.numbers[f] == family);
            let pull = |feature: usize| contributions[feature] * sums[family].signum();
            members.max_by(|&a, &b| pull(a).total_cmp(&pull(b)).then(b.cmp(&a)))
        };
        let reason = |family: usize| {
            let feature = strongest(family)?;
            Some(Reason {
                value: cell(scored, &self.features[feature].name, row),
                feature: self.features[feature].clone(),
                direction: match sums[family] > 0.0 {
                    true => Direction::Raises,
                    false => Direction::Lowers,
                },
            })
        };
        order.into_iter().filter_map(reason).take(REASONS).collect()
    }
}

fn cell(scored: &Scored, feature: &str, row: usize) -> Cell {
    let column = scored.prepared.examples.feature(feature);
    match column.map(|column| column.value(row)) {
        Some(FeatureValue::Number(value)) if value.is_finite() => Cell::Number(value),
        Some(FeatureValue::Category(text)) => Cell::Text(text.to_owned()),
        _ => Cell::Missing,
    }
}

//! Names of segments, from the features that stand out in them.

use serde::{Deserialize, Serialize};

use super::SegmentFeature;

/// A feature stands out when its mean in the segment lies this far from its mean over all rows, in robust standard deviations.
const STANDS_OUT: f64 = 0.5;
/// Further words of a name belong to features that stand out at least this much, as a share of the one that does most.
const SHARE_OF_MOST: f64 = 0.5;
/// Words in a name, unless more are needed to tell two segments apart.
const MOST_WORDS: usize = 3;
/// The name of a segment in which nothing stands out.
const TYPICAL: &str = "typical";

/// What a segment is called.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct SegmentName {
    /// The whole name, which no other segment has.
    pub(crate) name: String,
    /// The words of which it is made, strongest first.
    pub(crate) words: Vec<String>,
}

/// A name for each segment, in words that the features declare for high and low values, strongest first. `z_scores` are by
/// segment, then feature. Names are unique: two that would be the same take up their next strongest words, and where the words
/// end, a number.
pub(crate) fn names(
    z_scores: &[Vec<Option<f64>>],
    features: &[SegmentFeature],
) -> Vec<SegmentName> {
    let words: Vec<Words> = z_scores
        .iter()
        .map(|scores| Words::of(scores, features))
        .collect();
    let mut lengths: Vec<usize> = words.iter().map(|words| words.usual).collect();
    // Longer names can collide anew; each round lengthens at least one, and all words together end the rounds.
    loop {
        let names: Vec<String> = words
            .iter()
            .zip(&lengths)
            .map(|(words, &length)| words.name(length))
            .collect();
        let mut lengthened = false;
        for segment in 0..names.len() {
            let is_taken = names
                .iter()
                .enumerate()
                .any(|(other, name)| other != segment && *name == names[segment]);
            if is_taken && lengths[segment] < words[segment].ranked.len() {
                lengths[segment] += 1;
                lengthened = true;
            }
        }
        if !lengthened {
            let used = words.iter().zip(&lengths).map(|(words, &length)| {
                let words = words.ranked[..length].iter();
                words.map(|word| (*word).to_owned()).collect()
            });
            return numbered(names)
                .into_iter()
                .zip(used)
                .map(|(name, words)| SegmentName { name, words })
                .collect();
        }
    }
}

/// The words that may describe a segment.
struct Words<'a> {
    /// The strongest first.
    ranked: Vec<&'a str>,
    /// How many of them the name has.
    usual: usize,
}

impl<'a> Words<'a> {
    fn of(scores: &[Option<f64>], features: &'a [SegmentFeature]) -> Self {
        let mut found: Vec<(f64, &str)> = features
            .iter()
            .zip(scores)
            .filter_map(|(feature, score)| {
                let score = (*score)?;
                let word = if score > 0.0 {
                    &feature.high
                } else {
                    &feature.low
                };
                Some((score.abs(), word.as_deref().filter(|_| score != 0.0)?))
            })
            .collect();
        // A stable sort: of equals, the feature that is declared first.
        found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let most = found.first().map_or(0.0, |(strength, _)| *strength);
        let least = STANDS_OUT.max(SHARE_OF_MOST * most);
        let usual = found
            .iter()
            .take(MOST_WORDS)
            .filter(|(strength, _)| *strength >= least)
            .count();
        Self {
            ranked: found.into_iter().map(|(_, word)| word).collect(),
            usual,
        }
    }

    fn name(&self, length: usize) -> String {
        match &self.ranked[..length] {
            [] => TYPICAL.to_owned(),
            [word] => (*word).to_owned(),
            [first, second] => format!("{first} and {second}"),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        }
    }
}

/// Numbers the names that occur again.
fn numbered(names: Vec<String>) -> Vec<String> {
    let mut unique: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let numbered = (2..).map(|number| format!("{name} {number}"));
        let free = std::iter::once(name.clone())
            .chain(numbered)
            .find(|candidate| !unique.contains(candidate));
        unique.push(free.unwrap_or(name));
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features() -> Vec<SegmentFeature> {
        vec![
            SegmentFeature::new("revenue", "large", "small"),
            SegmentFeature::new("age", "old", "new"),
            SegmentFeature {
                name: "late".to_owned(),
                high: Some("late".to_owned()),
                low: None,
            },
        ]
    }

    fn named(scores: &[[f64; 3]]) -> Vec<String> {
        let scores: Vec<Vec<Option<f64>>> = scores
            .iter()
            .map(|scores| {
                scores
                    .iter()
                    .map(|&score| score.is_finite().then_some(score))
                    .collect()
            })
            .collect();
        let names = names(&scores, &features());
        names.into_iter().map(|name| name.name).collect()
    }

    #[test]
    fn the_strongest_words_come_first_and_weak_ones_not_at_all() {
        assert_eq!(named(&[[1.0, 0.4, 0.0]]), ["large"]);
        assert_eq!(named(&[[0.6, -0.9, 0.1]]), ["new and large"]);
        assert_eq!(named(&[[-1.0, 0.8, 1.2]]), ["late, small and old"]);
        assert_eq!(named(&[[2.0, 0.9, 0.0]]), ["large"]);
    }

    #[test]
    fn what_does_not_stand_out_is_typical() {
        assert_eq!(named(&[[0.1, -0.2, 0.3]]), ["typical"]);
        assert_eq!(named(&[[0.0, f64::NAN, -2.0]]), ["typical"]);
    }

    #[test]
    fn names_are_unique() {
        assert_eq!(
            named(&[[1.0, 0.3, 0.0], [1.0, -0.2, 0.0]]),
            ["large and old", "large and new"]
        );
        assert_eq!(
            named(&[[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]),
            ["large", "large 2"]
        );
        assert_eq!(named(&[[0.0; 3]; 3]), ["typical", "typical 2", "typical 3"]);
    }
}

//! The name that may have been meant.

/// The known name that is nearest to one that is not known, if it is near: of several, the first.
///
/// Near is an edit distance of at most a third of the name's letters, whatever their case.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let distance = |other: &str| strsim::damerau_levenshtein(&name, &other.to_lowercase());
    let found = known.into_iter().map(|other| (distance(other), other));
    let (distance, other) = found.min_by_key(|(distance, _)| *distance)?;
    (distance <= name.chars().count().div_ceil(3)).then_some(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_may_have_been_meant() {
        let known = ["activation", "churn", "delay"];
        assert_eq!(nearest("chrun", known), Some("churn"));
        assert_eq!(nearest("DELAYS", known), Some("delay"));
        assert_eq!(nearest("nonsense", known), None);
        assert_eq!(nearest("churn", []), None);
    }
}

//! What features mean, in words: the comments behind the columns of a feature view.
//!
//! A comment that follows `AS name`, on the same line or on lines of its own below, describes the feature:
//!
//! ```sql
//! SUM(price)                                          AS revenue,  -- sales [R$]; pt-BR: vendas [R$]
//! datediff(reference_date, MAX(order_purchase_timestamp)) AS days_since_last_order,
//!     -- days since the last sale; none: no sale
//!     -- pt-BR: dias desde a última venda; none: nenhuma venda
//! ```
//!
//! Parts stand between semicolons or on lines of their own. `pt-BR:` begins another language, `none:` says
//! what it means that there is no value, and square brackets at the end hold the unit.

use std::collections::BTreeMap;

use indexmap::IndexMap;

/// What a feature means, in one language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meaning {
    /// What it is, such as "days since the last sale".
    pub text: String,
    /// Its unit, such as "R$"; `%` for fractions that are read as percentages, `?` for 1 and 0 that mean yes and
    /// no. May be empty.
    pub unit: String,
    /// What it means that there is no value, such as "no sale"; may be empty.
    pub none: String,
}

/// Meanings of one feature by language; those of the project's own language have an empty key.
pub type Meanings = BTreeMap<String, Meaning>;

/// Takes the descriptions out of rendered SQL, and leaves every line where it was.
pub(crate) fn take(sql: &str) -> (String, IndexMap<String, Meanings>) {
    let mut meanings = IndexMap::new();
    let mut open: Option<Open> = None;
    let mut kept = String::with_capacity(sql.len());
    for line in sql.lines() {
        let (code, comment) = split_comment(line);
        let name = feature_named_by(code);
        if !code.trim().is_empty() {
            close(open.take(), &mut meanings);
            open = name.map(Open::new);
        }
        match (open.as_mut(), comment) {
            (Some(feature), Some(comment)) => {
                comment.split(';').for_each(|part| feature.take(part));
                kept.push_str(code.trim_end());
            }
            _ => kept.push_str(line),
        }
        kept.push('\n');
    }
    close(open, &mut meanings);
    (kept, meanings)
}

/// A feature whose description is being read.
struct Open {
    name: String,
    language: String,
    meanings: Meanings,
}

impl Open {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            language: String::new(),
            meanings: Meanings::new(),
        }
    }

    fn take(&mut self, part: &str) {
        let (key, rest) = match part.split_once(':') {
            Some((key, rest)) if is_language(key.trim()) => {
                self.language = key.trim().to_owned();
                ("", rest)
            }
            Some((key, rest)) if key.trim() == "none" => ("none", rest),
            _ => ("", part),
        };
        let rest = rest.trim();
        if rest.is_empty() {
            return;
        }
        let meaning = self.meanings.entry(self.language.clone()).or_default();
        if key == "none" {
            meaning.none = rest.to_owned();
            return;
        }
        let (text, unit) = split_unit(rest);
        if !meaning.text.is_empty() {
            meaning.text.push(' ');
        }
        meaning.text.push_str(text);
        meaning.unit = unit.to_owned();
    }
}

/// The first description of a name counts: the outermost SELECT stands before its subqueries.
fn close(open: Option<Open>, meanings: &mut IndexMap<String, Meanings>) {
    if let Some(feature) = open.filter(|feature| !feature.meanings.is_empty()) {
        meanings.entry(feature.name).or_insert(feature.meanings);
    }
}

/// The code of a line, and the text of the comment that ends it.
fn split_comment(line: &str) -> (&str, Option<&str>) {
    let mut quote = None;
    for (at, letter) in line.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            None if letter == '\'' || letter == '"' => quote = Some(letter),
            None if line[at..].starts_with("--") => return (&line[..at], Some(&line[at + 2..])),
            _ => {}
        }
    }
    (line, None)
}

/// The name of a line of code that ends with `AS name`, with or without a comma.
fn feature_named_by(code: &str) -> Option<&str> {
    let code = code.trim().trim_end_matches(',').trim_end();
    let (before, name) = match code.rfind(char::is_whitespace) {
        Some(at) => (code[..at].trim_end(), code[at..].trim_start()),
        None => return None,
    };
    let keyword = before
        .rsplit(char::is_whitespace)
        .next()
        .unwrap_or_default();
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (keyword.eq_ignore_ascii_case("as") && is_name).then_some(name)
}

/// Whether a key is a language tag such as `pt` or `pt-BR`.
fn is_language(key: &str) -> bool {
    let mut parts = key.split('-');
    let first = parts.next().unwrap_or_default();
    first.len() == 2
        && first.bytes().all(|byte| byte.is_ascii_lowercase())
        && parts.all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn split_unit(text: &str) -> (&str, &str) {
    let inner = text.strip_suffix(']').and_then(|text| text.split_once('['));
    inner.map_or((text, ""), |(text, unit)| (text.trim_end(), unit.trim()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn meaning(text: &str, unit: &str, none: &str) -> Meaning {
        Meaning {
            text: text.into(),
            unit: unit.into(),
            none: none.into(),
        }
    }

    #[test]
    fn comments_behind_a_column_describe_it_and_leave_the_query() {
        let sql = "SELECT\n    SUM(price) AS revenue, -- sales [R$]; pt-BR: vendas [R$]\n    MAX(day)\n        AS last_day\n    -- last day;  none: no day\n    -- pt-BR: último dia\n    --  da loja; none: nenhum\nFROM r -- all of it\n";
        let (kept, meanings) = take(sql);
        assert_eq!(kept.lines().count(), sql.lines().count());
        assert!(
            kept.contains("    SUM(price) AS revenue,\n") && kept.contains("FROM r -- all of it")
        );
        assert!(
            !kept.contains("sales") && !kept.contains("último"),
            "{kept}"
        );
        assert_eq!(meanings["revenue"][""], meaning("sales", "R$", ""));
        assert_eq!(meanings["revenue"]["pt-BR"], meaning("vendas", "R$", ""));
        assert_eq!(meanings["last_day"][""], meaning("last day", "", "no day"));
        let portuguese = meaning("último dia da loja", "", "nenhum");
        assert_eq!(meanings["last_day"]["pt-BR"], portuguese);
        assert_eq!(meanings.len(), 2);
    }

    #[test]
    fn dashes_in_texts_and_other_comments_are_no_descriptions() {
        let sql = "SELECT COUNT(*) FILTER (WHERE s = '-- x') AS n,\n-- counts; ratio: 1 to 2\nCOUNT(*) AS m\nFROM (SELECT a AS n -- inner\nFROM r)\n";
        let (kept, meanings) = take(sql);
        assert!(kept.contains("'-- x') AS n,"), "{kept}");
        assert_eq!(meanings["n"][""].text, "counts ratio: 1 to 2");
        assert_eq!(meanings.len(), 1);
        let (same, none) = take("-- a note\nSELECT 1 -- one\n");
        assert_eq!(
            (same.as_str(), none.len()),
            ("-- a note\nSELECT 1 -- one\n", 0)
        );
    }
}

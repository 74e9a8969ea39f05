//! YAML as MLflow reads and writes it.
//!
//! MLflow's reader is PyYAML, which follows YAML 1.1: to it `2024-01-01`, `12:30:00`, `on` and `1_000` are not texts.
//! A writer for YAML 1.2 leaves them bare, so every text is written in double quotes here. In the other direction,
//! PyYAML leaves texts bare that YAML 1.2 takes for numbers (`1e5`, a run id of digits around one `e`), so a scalar
//! is kept as it stands until somebody asks for it as a text or as an integer.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};

/// The fields of a mapping, by key, as MLflow sorts them.
pub(crate) type Mapping = BTreeMap<String, Node>;

/// A value in a YAML file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// A scalar without quotes: a number, a truth value, nothing, or a text that PyYAML left bare.
    Plain(String),
    /// A text.
    Text(String),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys with values.
    Mapping(Mapping),
}

impl Node {
    pub(crate) fn null() -> Self {
        Self::Plain("null".to_owned())
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Plain(text) if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The text, if it is one; a bare scalar is taken as it stands.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Plain(text) if !self.is_null() => Some(text),
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if it is one.
    pub(crate) fn as_integer(&self) -> Option<i64> {
        self.as_text()?.parse().ok()
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Node {
    fn from(number: i64) -> Self {
        Self::Plain(number.to_string())
    }
}

impl From<bool> for Node {
    fn from(truth: bool) -> Self {
        Self::Plain(truth.to_string())
    }
}

impl<T: Into<Node>> From<Option<T>> for Node {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(Self::null, Into::into)
    }
}

impl From<Mapping> for Node {
    fn from(fields: Mapping) -> Self {
        Self::Mapping(fields)
    }
}

/// A mapping of these fields.
pub(crate) fn mapping<const N: usize>(fields: [(&str, Node); N]) -> Mapping {
    fields
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

/// Reads a file of one document; nothing if it is empty.
pub(crate) fn parse(text: &str) -> Result<Option<Node>, String> {
    let mut events = Parser::new_from_str(text);
    loop {
        match next(&mut events)? {
            Event::StreamStart | Event::DocumentStart(_) => {}
            Event::StreamEnd | Event::DocumentEnd => return Ok(None),
            event => return node(event, &mut events).map(Some),
        }
    }
}

/// Writes a file of one document.
pub(crate) fn to_string(fields: &Mapping) -> String {
    let mut text = String::new();
    write_fields(fields, 0, &mut text);
    text
}

type Events<'a> = Parser<'a, StrInput<'a>>;

fn next<'a>(events: &mut Events<'a>) -> Result<Event<'a>, String> {
    match events.next() {
        Some(Ok((event, _))) => Ok(event),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("the file ends too early".to_owned()),
    }
}

fn node(event: Event<'_>, events: &mut Events<'_>) -> Result<Node, String> {
    match event {
        // A line break in a bare scalar can only come back from within quotes.
        Event::Scalar(text, ScalarStyle::Plain, ..) if !text.contains('\n') => {
            Ok(Node::Plain(text.into_owned()))
        }
        Event::Scalar(text, ..) => Ok(Node::Text(text.into_owned())),
        Event::SequenceStart(..) => items(events).map(Node::Sequence),
        Event::MappingStart(..) => fields(events).map(Node::Mapping),
        Event::Alias(_) => Err("aliases are not supported".to_owned()),
        other => Err(format!("unexpected {other:?}")),
    }
}

fn items(events: &mut Events<'_>) -> Result<Vec<Node>, String> {
    let mut items = Vec::new();
    loop {
        match next(events)? {
            Event::SequenceEnd => return Ok(items),
            event => items.push(node(event, events)?),
        }
    }
}

fn fields(events: &mut Events<'_>) -> Result<Mapping, String> {
    let mut fields = Mapping::new();
    loop {
        let key = match next(events)? {
            Event::MappingEnd => return Ok(fields),
            Event::Scalar(key, ..) => key.into_owned(),
            other => return Err(format!("a key that is no scalar: {other:?}")),
        };
        let value = next(events)?;
        fields.insert(key, node(value, events)?);
    }
}

fn write_node(node: &Node, indent: usize, out: &mut String) {
    match node {
        Node::Plain(text) => push_line(out, &[" ", text]),
        Node::Text(text) => push_line(out, &[" ", &quoted(text)]),
        Node::Sequence(items) if items.is_empty() => push_line(out, &[" []"]),
        Node::Mapping(fields) if fields.is_empty() => push_line(out, &[" {}"]),
        Node::Sequence(items) => {
            push_line(out, &[]);
            for item in items {
                out.push_str(&" ".repeat(indent));
                out.push('-');
                write_node(item, indent + 2, out);
            }
        }
        Node::Mapping(fields) => {
            push_line(out, &[]);
            write_fields(fields, indent, out);
        }
    }
}

fn write_fields(fields: &Mapping, indent: usize, out: &mut String) {
    for (key, value) in fields {
        out.push_str(&" ".repeat(indent));
        out.push_str(&written_key(key));
        out.push(':');
        write_node(value, indent + 2, out);
    }
}

fn push_line(out: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| out.push_str(part));
    out.push('\n');
}

/// Words that PyYAML does not take for texts, among those made of lower-case letters.
const RESERVED_KEYS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

fn written_key(key: &str) -> String {
    let bare = key.starts_with(|first: char| first.is_ascii_lowercase())
        && key
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED_KEYS.contains(&key);
    if bare { key.to_owned() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if needs_escape(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether YAML 1.1 forbids the character in a file or reads it as a line break or a byte order mark.
fn needs_escape(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::prelude::*;

    use super::*;

    fn any_node() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Node::from),
            any::<String>().prop_map(Node::Text),
            Just(Node::null()),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Node::Sequence),
                prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(Node::Mapping),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(fields in prop::collection::btree_map("[a-z_]{1,8}", any_node(), 1..5)) {
            let text = to_string(&fields);
            prop_assert_eq!(parse(&text).unwrap(), Some(Node::Mapping(fields)), "{}", text);
        }
    }

    #[test]
    fn files_of_mlflow_are_read() {
        let text = "aliases:\n  champion: '1'\nname: 'churn é: 1'\nrun_id: 12345678901234567890123456789e12\n\
                    source_name: ''\ntags: []\nuser_id: null\nversion: 1\nwide: one line\n  and the next\n";
        let Some(Node::Mapping(fields)) = parse(text).unwrap() else {
            panic!("no mapping")
        };
        assert_eq!(fields["name"].as_text(), Some("churn é: 1"));
        assert_eq!(
            fields["run_id"].as_text(),
            Some("12345678901234567890123456789e12")
        );
        assert_eq!(fields["source_name"].as_text(), Some(""));
        assert_eq!(fields["tags"], Node::Sequence(Vec::new()));
        assert_eq!(
            fields["aliases"],
            Node::Mapping(mapping([("champion", Node::from("1"))]))
        );
        assert_eq!(fields["version"].as_integer(), Some(1));
        assert_eq!(fields["wide"].as_text(), Some("one line and the next"));
        assert!(fields["user_id"].is_null());
    }

    #[test]
    fn empty_and_broken_files_are_told_apart() {
        assert_eq!(parse("").unwrap(), None);
        assert_eq!(parse("\n# nothing\n").unwrap(), None);
        assert!(parse("name: \"half").is_err());
        assert!(parse("a: 1\nb: [1, 2").is_err());
    }
}

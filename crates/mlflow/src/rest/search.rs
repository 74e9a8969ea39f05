//! Searches: all pages of what is asked for, and filters in MLflow's language.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::RestStore;
use super::http::Method;
use super::retry::Repeat;
use crate::{Error, Result};

/// A page of entities of some kind, under the name that its message has for them.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Page<T> {
    #[serde(
        default = "Vec::new",
        alias = "experiments",
        alias = "runs",
        alias = "metrics",
        alias = "files",
        alias = "models",
        alias = "registered_models",
        alias = "model_versions"
    )]
    items: Vec<T>,
    #[serde(default)]
    next_page_token: String,
}

impl RestStore {
    /// All entities that a call finds with GET, page by page.
    pub(super) fn list<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>> {
        self.pages(path, |token| {
            let mut query = query.to_vec();
            if !token.is_empty() {
                query.push(("page_token", token));
            }
            self.client.get(path, &query)
        })
    }

    /// All entities that a call finds with POST, page by page.
    pub(super) fn search<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        document: &Value,
    ) -> Result<Vec<T>> {
        self.pages(path, |token| {
            let mut document = document.clone();
            document["max_results"] = json!(self.page_size);
            if !token.is_empty() {
                document["page_token"] = json!(token);
            }
            self.client
                .call(Method::Post, path, &document, Repeat::Safe)
        })
    }

    fn pages<T>(&self, path: &str, ask: impl Fn(&str) -> Result<Page<T>>) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let mut token = String::new();
        let mut seen = BTreeSet::new();
        loop {
            let page = ask(&token)?;
            all.extend(page.items);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            token = page.next_page_token;
            if !seen.insert(token.clone()) {
                return Err(Error::UnexpectedAnswer {
                    method: "search",
                    url: self.client.address.api(path, &[]).to_string(),
                    reason: format!("the pages go round: {token} comes again"),
                });
            }
        }
    }
}

/// A condition of a filter: that `field` is `value`; nothing if the language has no way to write the value.
pub(super) fn equals(field: &str, value: impl Serialize + AsRef<str>) -> Option<String> {
    let value = value.as_ref();
    // The language has no escapes.
    let quote = ['\'', '"']
        .into_iter()
        .find(|quote| !value.contains(*quote))?;
    (!value.contains('\\')).then(|| format!("{field} = {quote}{value}{quote}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_where_they_can_be() {
        assert_eq!(equals("name", "a b"), Some("name = 'a b'".into()));
        assert_eq!(equals("name", "it's"), Some("name = \"it's\"".into()));
        assert_eq!(equals("name", "it's \"so\""), None);
        assert_eq!(equals("name", "a\\b"), None);
    }
}

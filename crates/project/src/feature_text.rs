//! How a feature of the store reads to people.

use crate::{Meaning, Project, View, Window};

/// A feature of the store: which feature of which window, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureText {
    /// Its name without the window, such as `orders`.
    pub name: String,
    /// The window, if its name has one, and the view does not simply look at all there is.
    pub window: Option<Window>,
    /// What it means; empty texts where the view does not say.
    pub meaning: Meaning,
}

impl Project {
    /// How a feature of some views reads in a language. Where the view has no words in that language, those of
    /// the project's own language; a name that no view explains is taken apart into feature and window.
    pub fn feature_text<'a>(
        &self,
        views: impl IntoIterator<Item = &'a String>,
        feature: &str,
        language: &str,
    ) -> FeatureText {
        let views: Vec<&View> = views
            .into_iter()
            .filter_map(|name| self.views.get(name))
            .collect();
        let described = views
            .iter()
            .find_map(|view| described(view, feature, language));
        described.unwrap_or_else(|| {
            let windows = views.iter().flat_map(|view| &view.windows);
            let parts = windows
                .filter_map(|window| Some((without(feature, *window)?, Some(*window))))
                .min_by_key(|(name, _)| name.len());
            let (name, window) = parts.unwrap_or((feature, None));
            FeatureText {
                name: name.to_owned(),
                window,
                meaning: Meaning::default(),
            }
        })
    }
}

fn described(view: &View, feature: &str, language: &str) -> Option<FeatureText> {
    let windows = view.windows.iter().map(|window| Some(*window));
    [None].into_iter().chain(windows).find_map(|window| {
        let name = match window {
            None => feature,
            Some(window) => without(feature, window)?,
        };
        let meanings = view.meanings.get(name)?;
        let meaning = meanings.get(language).or_else(|| meanings.get(""))?;
        let is_only = view.windows == [Window::All];
        Some(FeatureText {
            name: name.to_owned(),
            window: window.filter(|_| !is_only),
            meaning: meaning.clone(),
        })
    })
}

/// The name of a feature without its window.
fn without(feature: &str, window: Window) -> Option<&str> {
    feature
        .strip_suffix(&window.to_string())?
        .strip_suffix('_')
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::{FeatureText, Project, ProjectFiles, Window};

    fn project() -> Project {
        let mut files = ProjectFiles::default();
        files.insert("safra.toml", "name = 'p'\nfirst_date = '2018-01-01'\n");
        files.insert("sources.toml", "");
        files.insert(
            "features/v.sql",
            "---\nentity: a\ntime: t\nwindows: [30d, 6mo]\n---\nSELECT\n COUNT(*) AS n, -- rows; none: nothing\n -- pt-BR: linhas\n SUM(x) AS s\nFROM r\n",
        );
        Project::from_files(&files).unwrap()
    }

    fn text(project: &Project, feature: &str, language: &str) -> FeatureText {
        project.feature_text(&["v".to_owned()], feature, language)
    }

    #[test]
    fn a_feature_is_found_by_its_name_in_the_store() {
        let project = project();
        let found = text(&project, "n_6mo", "pt-BR");
        assert_eq!(found.window, Some(Window::Months(6)));
        assert_eq!(
            (found.name.as_str(), found.meaning.text.as_str()),
            ("n", "linhas")
        );
        assert_eq!(text(&project, "n_30d", "de").meaning.none, "nothing");
    }

    #[test]
    fn a_feature_without_words_keeps_its_name_and_window() {
        let project = project();
        let found = text(&project, "s_30d", "en");
        assert_eq!(
            (found.name.as_str(), found.window),
            ("s", Some(Window::Days(30)))
        );
        assert_eq!(found.meaning.text, "");
        let other = text(&project, "hour_of_day", "en");
        assert_eq!((other.name.as_str(), other.window), ("hour_of_day", None));
    }
}

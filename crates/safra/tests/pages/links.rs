//! Links between pages, on the disk and in the book that `make book` builds of the folder `docs`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// The contents of the book.
const SUMMARY: &str = "docs/SUMMARY.md";
const BOOK: &str = "docs/";

/// A page, without what stands in blocks of code.
struct Page {
    /// The places of the links and pictures in it.
    targets: Vec<String>,
    /// The names of its headings in addresses.
    anchors: BTreeSet<String>,
}

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    let pages = pages();
    let mut broken = Vec::new();
    for (name, page) in &pages {
        for target in page.targets.iter().filter(|target| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = match file {
                "" => name.clone(),
                file => beside(name, file),
            };
            let is_there = root().join(&file).exists();
            let has_anchor = anchor.is_empty()
                || pages
                    .get(&file)
                    .is_some_and(|page| page.anchors.contains(anchor));
            let leaves_the_book = name.starts_with(BOOK) && !file.starts_with(BOOK);
            if !is_there || !has_anchor || leaves_the_book {
                broken.push(format!("{name}: {target}"));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn the_book_has_every_page_once() {
    let pages = pages();
    let targets = &pages[SUMMARY].targets;
    let listed: Vec<String> = targets.iter().map(|file| beside(SUMMARY, file)).collect();
    let mut once = listed.clone();
    once.sort();
    let in_book = |name: &&String| name.starts_with(BOOK) && *name != SUMMARY;
    let there: Vec<String> = pages.keys().filter(in_book).cloned().collect();
    assert_eq!(once, there);
}

/// All pages by their path from the root of the repository, with `/` between folders.
fn pages() -> BTreeMap<String, Page> {
    let mut pages = BTreeMap::new();
    for file in ["README.md", "LEIAME.md", "crates/README.md"] {
        pages.insert(file.to_owned(), page(&root().join(file)));
    }
    let mut open = vec![root().join("docs")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap();
                pages.insert(name.replace('\\', "/"), page(&path));
            }
        }
    }
    pages
}

fn page(path: &Path) -> Page {
    let text = std::fs::read_to_string(path).unwrap();
    let mut page = Page {
        targets: Vec::new(),
        anchors: BTreeSet::new(),
    };
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            page.targets.extend(targets(line));
            if let Some(heading) = line.strip_prefix('#') {
                page.anchors.insert(anchor(heading));
            }
        }
    }
    page
}

/// What stands in the round brackets of `[text](target)`, outside of code.
fn targets(line: &str) -> Vec<String> {
    let text: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
    let links = text.split("](").skip(1);
    links
        .filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .collect()
}

/// The name of a heading in addresses, as mdBook and GitHub make it.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim();
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
    let heading = heading.chars().filter(kept).collect::<String>();
    heading.to_lowercase().replace(' ', "-")
}

/// The path from the root of a file that a page names by its path from there.
fn beside(page: &str, file: &str) -> String {
    let mut path = PathBuf::from(page);
    path.pop();
    for part in Path::new(file).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{page}: {file} is outside"),
            part => path.push(part),
        }
    }
    path.to_str().unwrap().replace('\\', "/")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

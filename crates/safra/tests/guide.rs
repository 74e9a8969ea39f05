//! The guide, followed to the letter: its commands run in order in one folder, and print what it says they print.
//!
//! `SAFRA_UPDATE_GUIDE=1` writes what they print into the guide instead. A line `…` stands for lines left out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

const LANGUAGES: [&str; 2] = ["en", "pt-BR"];
const LEFT_OUT: &str = "…";
/// Longer outputs are shortened to so many first and last lines when they are written for the first time.
const SHOWN: (usize, usize) = (24, 4);

/// A piece of a chapter.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// Lines that are for readers only.
    Text(Vec<String>),
    /// A file to write, with the line that opens its block.
    File {
        opening: String,
        path: String,
        lines: Vec<String>,
    },
    /// Commands, each with the lines it prints.
    Console(Vec<(String, Vec<String>)>),
}

#[test]
fn the_guide_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let update = std::env::var_os("SAFRA_UPDATE_GUIDE").is_some();
    for chapter in chapters() {
        let mut parts: Vec<Vec<Part>> = LANGUAGES
            .iter()
            .map(|language| parse(&std::fs::read_to_string(page(language, &chapter)).unwrap()))
            .collect();
        assert_eq!(
            commands(&parts[0]),
            commands(&parts[1]),
            "{chapter}: the languages differ in what they do"
        );
        let printed = follow(&parts[0], folder.path());
        for (language, parts) in LANGUAGES.iter().zip(&mut parts) {
            if update {
                fill(parts, &printed);
                std::fs::write(page(language, &chapter), text(parts)).unwrap();
            } else {
                compare(language, &chapter, parts, &printed);
            }
        }
    }
}

fn guide() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide")
}

fn page(language: &str, chapter: &str) -> PathBuf {
    guide().join(language).join(chapter)
}

fn chapters() -> Vec<String> {
    let entries = std::fs::read_dir(guide().join(LANGUAGES[0])).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 6, "{names:?}");
    names
}

fn parse(text: &str) -> Vec<Part> {
    let mut parts = vec![Part::Text(Vec::new())];
    let mut inside = false;
    for line in text.lines() {
        let fence = line.starts_with("```");
        match (parts.last_mut().unwrap(), fence) {
            (_, true) if inside => {
                inside = false;
                parts.push(Part::Text(vec![]));
            }
            (_, true) if line == "```console" => {
                inside = true;
                parts.push(Part::Console(Vec::new()));
            }
            (_, true) if line.contains("file=") => {
                inside = true;
                parts.push(Part::File {
                    opening: line.to_owned(),
                    path: line.split_once("file=").unwrap().1.to_owned(),
                    lines: Vec::new(),
                });
            }
            (Part::Console(steps), _) => match line.strip_prefix("$ ") {
                Some(command) => steps.push((command.to_owned(), Vec::new())),
                None => steps.last_mut().unwrap().1.push(line.to_owned()),
            },
            (Part::File { lines, .. } | Part::Text(lines), _) => lines.push(line.to_owned()),
        }
    }
    parts
}

fn text(parts: &[Part]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) => lines.extend(text.iter().cloned()),
            Part::File {
                opening,
                lines: file,
                ..
            } => {
                lines.push(opening.clone());
                lines.extend(file.iter().cloned());
                lines.push("```".to_owned());
            }
            Part::Console(steps) => {
                lines.push("```console".to_owned());
                for (command, output) in steps {
                    lines.push(format!("$ {command}"));
                    lines.extend(output.iter().cloned());
                }
                lines.push("```".to_owned());
            }
        }
    }
    lines.join("\n") + "\n"
}

/// What a chapter does, without what it prints and says.
fn commands(parts: &[Part]) -> Vec<String> {
    let mut done = Vec::new();
    for part in parts {
        match part {
            Part::Text(_) => {}
            Part::File { path, lines, .. } => done.push(format!("{path}\n{}", lines.join("\n"))),
            Part::Console(steps) => done.extend(steps.iter().map(|(command, _)| command.clone())),
        }
    }
    done
}

/// Does what a chapter says, and gives what each command printed.
fn follow(parts: &[Part], folder: &Path) -> Vec<Vec<String>> {
    let mut printed = Vec::new();
    for part in parts {
        match part {
            Part::Text(_) => {}
            Part::File { path, lines, .. } => {
                std::fs::write(folder.join(path), lines.join("\n") + "\n").unwrap();
            }
            Part::Console(steps) => printed.extend(steps.iter().map(|(line, _)| run(line, folder))),
        }
    }
    printed
}

fn run(line: &str, folder: &Path) -> Vec<String> {
    let binary = Path::new(env!("CARGO_BIN_EXE_safra")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("bash")
        .args(["-c", &format!("set -e; {{ {line}; }} 2>&1")])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", binary.display()))
        .env("COLUMNS", "100")
        .env_remove("MLFLOW_TRACKING_URI")
        .env_remove("SAFRA_LOG")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{line}: {}\n{text}", output.status);
    text.lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

fn fill(parts: &mut [Part], printed: &[Vec<String>]) {
    let mut printed = printed.iter();
    for part in parts {
        if let Part::Console(steps) = part {
            for (_, output) in steps {
                *output = shortened(output, printed.next().unwrap());
            }
        }
    }
}

/// As many first and last lines as the guide shows now.
fn shortened(now: &[String], printed: &[String]) -> Vec<String> {
    let (first, last) = match now.iter().position(|line| line == LEFT_OUT) {
        Some(0) if now.len() == 1 => SHOWN,
        Some(place) => (place, now.len() - place - 1),
        None => (printed.len(), 0),
    };
    if first + last >= printed.len() {
        return printed.to_vec();
    }
    let mut lines = printed[..first].to_vec();
    lines.push(LEFT_OUT.to_owned());
    lines.extend_from_slice(&printed[printed.len() - last..]);
    lines
}

fn compare(language: &str, chapter: &str, parts: &[Part], printed: &[Vec<String>]) {
    let shown = parts.iter().flat_map(|part| match part {
        Part::Console(steps) => steps.as_slice(),
        _ => &[],
    });
    for ((command, shown), printed) in shown.zip(printed) {
        let expected: Vec<String> = shown.iter().map(|line| masked(line)).collect();
        let found = shortened(shown, printed);
        let found: Vec<String> = found.iter().map(|line| masked(line)).collect();
        assert_eq!(
            expected,
            found,
            "{language}/{chapter}: {command}\nhint: SAFRA_UPDATE_GUIDE=1 writes what is printed now; it was:\n{}",
            printed.join("\n")
        );
    }
}

/// A line without what may differ between processors: numbers, identifiers, and the widths that follow from them.
fn masked(line: &str) -> String {
    let words = line.split_whitespace().map(|word| {
        let varies = word.chars().any(|c| c.is_ascii_digit());
        if varies || word.chars().all(|c| c == '─' || c == '-') {
            "#"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

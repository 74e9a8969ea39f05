//! The page on the command line is the help of the binary.
//!
//! `SAFRA_UPDATE_COMMANDS=1` writes the page anew.

use std::path::Path;
use std::process::Command;

const TITLE: &str = "\
# The command line

The help of the binary, `safra --help` and `safra COMMAND --help`, on one page.
";

#[test]
fn the_page_on_commands_is_the_help() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    let page = page();
    if std::env::var_os("SAFRA_UPDATE_COMMANDS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let held = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        held, page,
        "docs/commands.md is not the help\nhint: SAFRA_UPDATE_COMMANDS=1 writes it anew"
    );
}

fn page() -> String {
    let all = help(&[]);
    let mut page = format!("{TITLE}\n{}", section("safra", &all));
    for command in commands(&all) {
        let text = help(&[&command]);
        page += &format!("\n{}", section(&format!("safra {command}"), &text));
        for inner in commands(&text) {
            let text = help(&[&command, &inner]);
            page += &format!("\n{}", section(&format!("safra {command} {inner}"), &text));
        }
    }
    page
}

fn section(name: &str, help: &str) -> String {
    format!("## `{name}`\n\n```text\n{}\n```\n", help.trim_end())
}

fn help(command: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_safra"))
        .args(command)
        .arg("--help")
        .env("COLUMNS", "100")
        .env_remove("MLFLOW_TRACKING_URI")
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The commands that a help lists.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    listed
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

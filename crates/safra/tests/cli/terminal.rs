//! How the binary behaves towards shells, terminals and Ctrl-C.

use std::process::Command;

use crate::support::{Home, Ran, interrupt, wait_until};

const ESCAPE: char = '\x1b';

#[test]
fn completions_know_every_command_and_are_valid_scripts() {
    let home = Home::new();
    let help = home.ok(&["--help"]);
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|command| !command.is_empty())
        .collect();
    assert!(
        commands.contains(&"report") && commands.contains(&"completions"),
        "{commands:?}"
    );
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = home.ok(&["completions", shell]);
        for command in &commands {
            assert!(script.contains(command), "{shell}: {command}");
        }
        assert!(script.contains("lang"), "{shell}");
    }
    let script = home.path("safra.bash");
    std::fs::write(&script, home.ok(&["completions", "bash"])).unwrap();
    let completed = Command::new("bash")
        .arg("-c")
        .arg("source \"$1\"; COMP_WORDS=(safra rep); COMP_CWORD=1; _safra safra rep safra; echo \"${COMPREPLY[@]}\"")
        .args(["bash", script.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&completed.stdout), "report\n");
    assert_eq!(home.safra(&["completions", "tcsh"]).code, Some(2));
}

#[test]
fn completions_need_no_project() {
    let home = Home::new();
    std::fs::write(home.path("safra.toml"), "broken").unwrap();
    assert!(home.ok(&["completions", "bash"]).contains("_safra()"));
}

#[test]
fn nothing_but_plain_lines_where_no_terminal_is() {
    let home = Home::new();
    let ran = home.safra(&["generate", "--scale", "0.02", "--out", "data"]);
    assert_eq!(ran.code, Some(0));
    for text in [ran.stdout, ran.stderr, home.safra(&["report"]).stderr] {
        assert!(!text.contains([ESCAPE, '\r']), "{text:?}");
        assert!(!text.is_empty());
    }
    let quiet = home.safra(&["-q", "generate", "--scale", "0.02", "--out", "data"]);
    assert_eq!(quiet.stderr, "");
}

/// What the command prints on a terminal, or `None` where no terminal can be had.
fn on_a_terminal(home: &Home, arguments: &str, variables: &[(&str, &str)]) -> Option<String> {
    let command = format!("{} {arguments}", env!("CARGO_BIN_EXE_safra"));
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]);
    script
        .current_dir(home.path(""))
        .env_remove("NO_COLOR")
        .env("TERM", "xterm");
    let output = script.envs(variables.iter().copied()).output();
    output
        .ok()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn errors_have_colours_on_a_terminal_that_wants_them() {
    let home = Home::new();
    let Some(colourful) = on_a_terminal(&home, "report", &[]) else {
        eprintln!("skipped: there is no `script` to make a terminal with");
        return;
    };
    assert!(
        colourful.contains("\x1b[1;31merror:\x1b[0m"),
        "{colourful:?}"
    );
    assert!(
        colourful.contains("\x1b[1;36mhint:\x1b[0m"),
        "{colourful:?}"
    );
    for plain in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let text = on_a_terminal(&home, "report", &[plain]).unwrap();
        assert!(
            text.contains("error: ") && !text.contains("\x1b[1;3"),
            "{plain:?}: {text:?}"
        );
    }
}

#[test]
fn an_interrupted_command_leaves_no_partial_files_and_says_so() {
    let home = Home::new();
    let arguments = ["generate", "--scale", "20", "--out", "data"];
    let mut child = home.start(&arguments);
    wait_until(&mut child, || {
        let files = home.files("data");
        files.iter().any(|name| name.ends_with(".partial"))
    });
    interrupt(&child);
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    assert_eq!(
        ran.stderr,
        "interrupted\nhint: the same command goes on with what is there\n"
    );
    assert_eq!(home.files("data"), Vec::<String>::new());
}

#[test]
fn an_interrupted_run_goes_on() {
    let home = Home::new();
    let arguments = ["run", "--scale", "0.03"];
    let mut child = home.start(&arguments);
    wait_until(&mut child, || home.path("lake/datasets").exists());
    interrupt(&child);
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    assert!(ran.stderr.contains("\ninterrupted\n"), "{}", ran.stderr);
    assert!(!home.path("report.html").exists());
    home.ok(&arguments);
    assert!(home.path("report.html").exists());
}

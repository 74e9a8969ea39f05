//! What commands leave behind that are killed, run out of disk or compete: the next command goes on, and the tables are those
//! of an undisturbed run.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use safra_lake::Folder;
use safra_marketplace::{Parameters, generate};

use crate::support::{Home, Ran};

/// How often a command is killed, unless that takes too long.
const ROUNDS: usize = 40;
const AT_MOST: Duration = Duration::from_secs(20);

const INGEST: [&str; 2] = ["ingest", "data"];
const BACKFILL: [&str; 3] = ["features", "--every", "week"];
const PREDICT: [&str; 2] = ["predict", "churn"];

/// A marketplace in `data`, and the same as it was a month before in `earlier`.
fn marketplace() -> Home {
    let home = Home::new();
    for (folder, until) in [("data", "2018-06-01"), ("earlier", "2018-05-01")] {
        let parameters = Parameters {
            scale: 0.03,
            seed: 7,
            until: until.parse().unwrap(),
            ..Parameters::default()
        };
        generate(&parameters, &home.path(folder), &|_, _| {}).unwrap();
    }
    home
}

fn remove(home: &Home, inside: &str) {
    if home.path(inside).exists() {
        fs::remove_dir_all(home.path(inside)).unwrap();
    }
}

/// Numbers that look random (Marsaglia 2003, "Xorshift RNGs").
struct Random(u64);

impl Random {
    /// Between 0 and 1.
    fn fraction(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Kills a command at random moments, each time from the state that `before` makes, and sees that the same command goes on and
/// leaves what it leaves undisturbed.
fn kill_at_random(home: &Home, command: &[&str], folders: &[Folder], before: impl Fn(&Home)) {
    before(home);
    let started = Instant::now();
    home.ok(command);
    let whole = started.elapsed();
    let expected = home.contents(folders);
    let (mut random, mut killed) = (Random(42), 0);
    let started = Instant::now();
    for round in 0..ROUNDS {
        before(home);
        // Up to three times in a row, so that it goes on from what it left when it went on.
        for _ in 0..=round % 3 {
            let mut child = home.start(command);
            sleep(whole.mul_f64(random.fraction()));
            child.kill().unwrap();
            killed += usize::from(!child.wait().unwrap().success());
        }
        home.ok(command);
        assert_eq!(
            home.contents(folders),
            expected,
            "{command:?}, round {round}"
        );
        if started.elapsed() > AT_MOST {
            break;
        }
    }
    assert!(killed > 3, "{command:?}: killed {killed} times only");
}

#[test]
fn a_killed_ingest_goes_on() {
    let home = marketplace();
    kill_at_random(
        &home,
        &INGEST,
        &[Folder::Sources, Folder::Rejected],
        |home| {
            remove(home, "lake");
        },
    );
}

#[test]
fn a_killed_ingest_on_top_of_another_goes_on() {
    let home = marketplace();
    home.ok(&["ingest", "earlier"]);
    fs::rename(home.path("lake"), home.path("held")).unwrap();
    let folders = [Folder::Sources, Folder::Rejected];
    kill_at_random(&home, &INGEST, &folders, |home| {
        remove(home, "lake");
        copy(home, "held", "lake");
    });
    // On top of the earlier month or alone, the tables hold the same.
    let expected = home.contents(&folders);
    remove(&home, "lake");
    home.ok(&INGEST);
    assert_eq!(home.contents(&folders), expected);
}

fn copy(home: &Home, from: &str, to: &str) {
    let copied = Command::new("cp")
        .arg("-r")
        .args([home.path(from), home.path(to)])
        .status();
    assert!(copied.unwrap().success());
}

#[test]
fn a_killed_backfill_goes_on() {
    let home = marketplace();
    home.ok(&INGEST);
    kill_at_random(&home, &BACKFILL, &[Folder::Features], |home| {
        remove(home, "lake/features");
    });
}

#[test]
fn a_killed_backfill_of_stale_dates_goes_on() {
    let home = marketplace();
    home.ok(&["ingest", "earlier"]);
    home.ok(&BACKFILL);
    fs::rename(home.path("lake"), home.path("held")).unwrap();
    kill_at_random(&home, &BACKFILL, &[Folder::Features], |home| {
        remove(home, "lake");
        copy(home, "held", "lake");
        home.ok(&INGEST);
    });
    let expected = home.contents(&[Folder::Features]);
    remove(&home, "lake");
    home.ok(&INGEST);
    home.ok(&BACKFILL);
    assert_eq!(home.contents(&[Folder::Features]), expected);
}

#[test]
fn a_killed_prediction_goes_on() {
    let home = marketplace();
    home.ok(&INGEST);
    home.ok(&["train", "churn"]);
    home.ok(&["promote", "churn"]);
    kill_at_random(&home, &PREDICT, &[Folder::Predictions], |home| {
        remove(home, "lake/predictions");
    });
}

/// Runs a command that may write no file of more than so many blocks of 512 bytes.
fn with_small_files(home: &Home, command: &[&str], blocks: u32) -> Ran {
    // Ignored, the signal that comes with the limit becomes an error of the write, as with a full disk.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let output = Command::new("sh")
        .current_dir(home.path(""))
        .args(["-c", &script, env!("CARGO_BIN_EXE_safra")])
        .args(command)
        .output();
    Ran::of(output.unwrap())
}

/// Lets a command run out of space at several places, and sees that it says so and goes on when there is space again.
fn run_out_of_space(home: &Home, command: &[&str], folders: &[Folder], before: impl Fn(&Home)) {
    before(home);
    home.ok(command);
    let expected = home.contents(folders);
    let mut failed = 0;
    for blocks in [0, 1, 4, 16, 64, 256, 1024] {
        before(home);
        let ran = with_small_files(home, command, blocks);
        if ran.code != Some(0) {
            failed += 1;
            assert_eq!(
                ran.code,
                Some(3),
                "{command:?}, {blocks} blocks: {}",
                ran.stderr
            );
            let message = ran.stderr.lines().find(|line| line.starts_with("error: "));
            assert!(message.is_some(), "{command:?}: {}", ran.stderr);
        }
        home.ok(command);
        assert_eq!(
            home.contents(folders),
            expected,
            "{command:?}, {blocks} blocks"
        );
    }
    assert!(failed > 1, "{command:?} failed {failed} times");
}

#[test]
fn commands_that_run_out_of_space_go_on() {
    let home = marketplace();
    run_out_of_space(
        &home,
        &INGEST,
        &[Folder::Sources, Folder::Rejected],
        |home| {
            remove(home, "lake");
        },
    );
    run_out_of_space(&home, &BACKFILL, &[Folder::Features], |home| {
        remove(home, "lake/features");
    });
    home.ok(&["train", "churn"]);
    home.ok(&["promote", "churn"]);
    run_out_of_space(&home, &PREDICT, &[Folder::Predictions], |home| {
        remove(home, "lake/predictions");
    });
}

#[test]
fn a_full_disk_is_an_error_and_a_larger_one_goes_on() {
    let home = marketplace();
    home.ok(&INGEST);
    home.ok(&BACKFILL);
    let folders = [Folder::Sources, Folder::Features];
    let expected = home.contents(&folders);
    remove(&home, "lake");
    fs::create_dir(home.path("lake")).unwrap();
    // A disk that is full after the first tables, then one that is full in the backfill, then one that is large enough.
    let script = r#"
        mount -t tmpfs -o size=1m none lake || exit 77
        "$0" ingest data; echo "exit code $?" >&2
        mount -o remount,size=100m lake
        "$0" ingest data; echo "exit code $?" >&2
        mount -o remount,size=$(($(df --output=used lake | tail -n 1) + 64))k lake
        "$0" features --every week; echo "exit code $?" >&2
        mount -o remount,size=500m lake
        "$0" ingest data && "$0" features --every week && cp -r lake whole
    "#;
    let output = Command::new("unshare")
        .current_dir(home.path(""))
        .args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_safra")])
        .stdout(Stdio::null())
        .output();
    let output = match output {
        Ok(output) if output.status.code() != Some(77) && output.status.code() != Some(1) => output,
        _ => {
            eprintln!("SKIPPED: a small disk can be mounted as root only");
            return;
        }
    };
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let codes: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("exit code"))
        .collect();
    assert_eq!(
        codes,
        ["exit code 3", "exit code 0", "exit code 3"],
        "{said}"
    );
    let errors: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(errors.len(), 2, "{said}");
    assert!(
        errors.iter().all(|error| error.contains("No space left")),
        "{said}"
    );
    remove(&home, "lake");
    fs::rename(home.path("whole"), home.path("lake")).unwrap();
    assert_eq!(home.contents(&folders), expected);
}

/// Runs commands at the same time, which must all succeed.
fn at_once(home: &Home, commands: &[&[&str]], delay: Duration) {
    let start = |command: &&[&str]| {
        sleep(delay);
        home.start(command)
    };
    let children: Vec<_> = commands.iter().map(start).collect();
    for (child, command) in children.into_iter().zip(commands) {
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(0), "{command:?}: {}", ran.stderr);
    }
}

#[test]
fn processes_that_write_the_same_lake_do_not_mix() {
    let home = marketplace();
    let (sources, features) = ([Folder::Sources, Folder::Rejected], [Folder::Features]);
    home.ok(&INGEST);
    home.ok(&BACKFILL);
    let expected = (home.contents(&sources), home.contents(&features));
    home.ok(&["train", "churn"]);
    home.ok(&["promote", "churn"]);
    home.ok(&PREDICT);
    let predictions = home.contents(&[Folder::Predictions]);
    let some: &[&str] = &[
        "features",
        "seller_sales",
        "--every",
        "week",
        "--to",
        "2018-01-31",
    ];
    let mut random = Random(7);
    for round in 0..6 {
        let mut delay = || Duration::from_secs_f64(0.3 * random.fraction());
        remove(&home, "lake");
        at_once(&home, &[&INGEST, &INGEST, &INGEST], delay());
        at_once(&home, &[&BACKFILL, some, &BACKFILL], delay());
        let found = (home.contents(&sources), home.contents(&features));
        assert_eq!(found, expected, "round {round}");
        at_once(&home, &[&PREDICT, &PREDICT], delay());
        assert_eq!(
            home.contents(&[Folder::Predictions]),
            predictions,
            "round {round}"
        );
    }
}

#[test]
fn an_ingest_during_a_backfill_leaves_nothing_stale_behind() {
    let home = marketplace();
    home.ok(&INGEST);
    home.ok(&BACKFILL);
    let folders = [Folder::Sources, Folder::Features];
    let expected = home.contents(&folders);
    let mut random = Random(11);
    for round in 0..6 {
        remove(&home, "lake");
        home.ok(&["ingest", "earlier"]);
        home.ok(&[
            "features",
            "seller_sales",
            "--every",
            "week",
            "--to",
            "2018-03-01",
        ]);
        let backfill: &[&str] = &["features", "--every", "week", "--to", "2018-05-01"];
        let delay = Duration::from_secs_f64(0.3 * random.fraction());
        match round % 2 {
            0 => at_once(&home, &[backfill, &INGEST], delay),
            _ => at_once(&home, &[&INGEST, backfill], delay),
        }
        home.ok(&BACKFILL);
        assert_eq!(home.contents(&folders), expected, "round {round}");
    }
}

//! `safra fetch`: the raw data of the project, from where it is published.

use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use safra_fetch::{Event, FetchError, Fetched, Options, Source, Unpacked, download, unpack};
use safra_project::Download;
use serde::Serialize;

use crate::context::Context;
use crate::error::SafraError;
use crate::output::{Column, print_json, print_table, thousands};

/// What to download.
pub struct Wanted<'a> {
    /// An address in place of those of the project.
    pub url: Option<&'a str>,
    /// The checksum of what is at that address.
    pub sha256: Option<&'a str>,
    /// The folder to write to.
    pub out: &'a Path,
}

#[derive(Serialize)]
struct Archive {
    name: String,
    url: String,
    bytes: u64,
    sha256: String,
    reused: bool,
    files: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    file: PathBuf,
    bytes: u64,
}

/// Downloads what the project names, unpacks it, and prints the files.
pub fn run(context: &Context, wanted: &Wanted<'_>) -> Result<(), SafraError> {
    let downloads = match wanted.url {
        Some(url) => vec![by_address(url, wanted.sha256)],
        None => context.project.settings.downloads.clone(),
    };
    if downloads.is_empty() {
        return Err(SafraError::Usage(
            "the project names no downloads\nhint: give an address with --url, or add [[downloads]] to safra.toml".into(),
        ));
    }
    downloads.iter().try_for_each(check)?;
    let archives = downloads
        .iter()
        .map(|download| one(context, download, wanted.out))
        .collect::<Result<Vec<Archive>, _>>()?;
    if context.json {
        return print_json(&archives);
    }
    let rows = archives.iter().flat_map(|archive| &archive.files);
    let cells = rows.map(|row| {
        vec![
            row.file.display().to_string(),
            thousands(row.bytes as usize),
        ]
    });
    print_table(&[Column("file", false), Column("bytes", true)], cells);
    context.say(&format!(
        "hint: `safra run --source {}` goes from there to a report",
        wanted.out.display()
    ));
    Ok(())
}

fn by_address(url: &str, sha256: Option<&str>) -> Download {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().filter(|name| !name.is_empty());
    Download {
        name: name.unwrap_or("download").to_owned(),
        url: url.to_owned(),
        sha256: sha256.map(str::to_owned),
        page: String::new(),
        licence: String::new(),
    }
}

/// A name must stay in the folder, and a checksum must be one.
fn check(download: &Download) -> Result<(), SafraError> {
    let Download { name, sha256, .. } = download;
    let is_plain = Path::new(name)
        .file_name()
        .is_some_and(|file| file == name.as_str());
    if !is_plain {
        let message = format!("downloads: {name}: not a plain file name");
        return Err(SafraError::Usage(message));
    }
    match sha256
        .as_deref()
        .filter(|text| !safra_fetch::is_sha256(text))
    {
        Some(text) => Err(SafraError::Usage(format!(
            "{name}: sha256: not 64 hexadecimal digits: {text}"
        ))),
        None => Ok(()),
    }
}

fn one(context: &Context, wanted: &Download, out: &Path) -> Result<Archive, SafraError> {
    let failed = |error| SafraError::Fetch {
        hint: by_hand(&error, wanted, out),
        error,
    };
    let target = out.join(&wanted.name);
    let source = Source {
        url: &wanted.url,
        sha256: wanted.sha256.as_deref(),
    };
    let progress = context.byte_progress("fetch");
    let mut follow = |event| tell(context, &progress, &wanted.name, event);
    let fetched = download(&source, &target, &Options::default(), &mut follow).map_err(failed)?;
    progress.finish_and_clear();
    describe(context, wanted, &fetched);
    let files = match target.extension().is_some_and(|end| end == "zip") {
        true => unpack(&target, out).map_err(failed)?,
        false => vec![Unpacked {
            path: target,
            bytes: fetched.bytes,
        }],
    };
    let row = |file: Unpacked| Row {
        file: file.path,
        bytes: file.bytes,
    };
    Ok(Archive {
        name: wanted.name.clone(),
        url: wanted.url.clone(),
        bytes: fetched.bytes,
        sha256: fetched.sha256,
        reused: fetched.reused,
        files: files.into_iter().map(row).collect(),
    })
}

fn tell(context: &Context, progress: &ProgressBar, name: &str, event: Event) {
    match event {
        Event::Progress { bytes, total } => {
            progress.set_length(total.unwrap_or(bytes));
            progress.set_position(bytes);
        }
        Event::Resumed { bytes } => progress.suspend(|| {
            let bytes = thousands(bytes as usize);
            context.say(&format!("{name}: going on after {bytes} bytes"));
        }),
        Event::Retry { message, wait } => progress.suspend(|| {
            let seconds = wait.as_secs_f64();
            context.warn(&format!(
                "{name}: {message}: trying again in {seconds:.0} s"
            ));
        }),
    }
}

fn describe(context: &Context, wanted: &Download, fetched: &Fetched) {
    let name = &wanted.name;
    let how = if fetched.reused {
        "was there already"
    } else {
        "downloaded"
    };
    context.say(&format!(
        "{name}: {how}: {} bytes, sha256 {}",
        thousands(fetched.bytes as usize),
        fetched.sha256
    ));
    if wanted.sha256.is_none() {
        context
            .say("hint: state that sha256 beside the address, and it will be checked from then on");
    }
    if !wanted.licence.is_empty() {
        context.say(&format!(
            "{name}: licence: {} ({})",
            wanted.licence, wanted.page
        ));
    }
}

/// What to do when a server does not give the file.
fn by_hand(error: &FetchError, wanted: &Download, out: &Path) -> String {
    match error {
        FetchError::Status { .. } | FetchError::Archive { .. } if !wanted.page.is_empty() => {
            format!(
                "\nhint: download it by hand from {} and unpack it into {}",
                wanted.page,
                out.display()
            )
        }
        _ => String::new(),
    }
}

//! Downloads archives whole or not at all, resumes and checks them, and unpacks them.
//!
//! [`download`] writes to a partial file beside its target and renames it when it is complete and its
//! checksum is right, so that a file with its own name is never half of itself. What was cut off, by the
//! network or by the end of the process, goes on where it stopped, as long as the server says that the file
//! is still the same. [`unpack`] does likewise with each file of a zip archive.
//!
//! ```no_run
//! use safra_fetch::{Options, Source, download, unpack};
//!
//! let source = Source { url: "https://example.org/data.zip", sha256: None };
//! let archive = std::path::Path::new("data/data.zip");
//! let fetched = download(&source, archive, &Options::default(), &mut |_| {})?;
//! println!("{} bytes, sha256 {}", fetched.bytes, fetched.sha256);
//! unpack(archive, std::path::Path::new("data"))?;
//! # Ok::<(), safra_fetch::FetchError>(())
//! ```

mod checksum;
mod download;
mod error;
mod partial;
mod response;
mod unpack;

pub use checksum::is_sha256;
pub use download::{Event, Fetched, Options, Source, download};
pub use error::FetchError;
pub use unpack::{Unpacked, unpack};

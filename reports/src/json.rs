//! `results.json`: written whole or not at all, read with one clear error.

use std::cmp::Ordering;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use verdict_audit::Exit;
use verdict_audit::evidence::{Results, SCHEMA};

use crate::replace::replace;

/// Bytes that are read of a file: all fifteen items, every cell with its rounds and histograms,
/// are a few megabytes.
const LARGEST: u64 = 64 << 20;

/// Why a results file cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// Nothing is there.
    #[error("no results at {0}: `verdict run` or `cargo bench` writes them")]
    Missing(PathBuf),
    /// The file system refuses.
    #[error("{verb} {path} failed: {source}")]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The file ends too early.
    #[error("{0} is truncated: run it again, or copy the whole file")]
    Truncated(PathBuf),
    /// The file is larger than any results are.
    #[error("{0} is larger than any results are: point at a results.json")]
    TooLarge(PathBuf),
    /// It is a folder, a pipe or a device.
    #[error("{0} is no file: point at a results.json")]
    NoFile(PathBuf),
    /// The file is something else.
    #[error("{path} is not JSON (line {line}, column {column}): point at a results.json")]
    NotJson {
        /// The file.
        path: PathBuf,
        /// Where it stops being JSON.
        line: usize,
        /// Where it stops being JSON.
        column: usize,
    },
    /// The file was written by another version of Verdict.
    #[error("{path} was written by schema {found}, this Verdict reads {SCHEMA}: run it again")]
    OtherSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
    },
    /// The file is JSON, but not of this shape.
    #[error("{path} is not a results file: {reason}")]
    OtherShape {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// The file is a results file, and says what cannot be.
    #[error(
        "{path} cannot be true ({reason}): it was changed, or another version of Verdict judged it; run it again"
    )]
    CannotBeTrue {
        /// The file.
        path: PathBuf,
        /// What cannot be.
        reason: String,
    },
    /// A figure that JSON cannot hold.
    #[error("results for {path} cannot be written as JSON: {reason}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
}

impl JsonError {
    /// The exit code that says so.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Missing(_) => Exit::NoInput,
            Self::Io { source, .. } => Exit::of_io(source),
            Self::Unwritable { .. } => Exit::Software,
            Self::Truncated(_)
            | Self::TooLarge(_)
            | Self::NoFile(_)
            | Self::NotJson { .. }
            | Self::OtherSchema { .. }
            | Self::OtherShape { .. }
            | Self::CannotBeTrue { .. } => Exit::Data,
        }
    }
}

/// Writes results, replacing the old ones in a single step. Creates the folder.
///
/// # Errors
/// [`JsonError::Io`] and [`JsonError::Unwritable`].
pub fn write(path: &Path, results: &Results) -> Result<(), JsonError> {
    let mut text =
        serde_json::to_string_pretty(results).map_err(|error| JsonError::Unwritable {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
    text.push('\n');
    replace(path, |temporary| fs::write(temporary, &text))
}

/// A file's bytes, unless there are too many of them.
fn bounded(path: &Path) -> io::Result<Vec<u8>> {
    // Whoever opens a pipe waits for its other end.
    if !fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: u32,
}

/// Reads results.
///
/// # Errors
/// One for each way in which the file is not what it should be.
pub fn read(path: &Path) -> Result<Results, JsonError> {
    let results = read_older(path)?;
    if results.schema != SCHEMA {
        return Err(JsonError::OtherSchema {
            path: path.to_owned(),
            found: results.schema,
        });
    }
    match results.contradiction() {
        None => Ok(results),
        Some(reason) => Err(JsonError::CannotBeTrue {
            path: path.to_owned(),
            reason,
        }),
    }
}

/// Reads the figures of results, also of an older Verdict, whose verdicts followed other rules.
///
/// # Errors
/// The same, but for what an older Verdict concluded.
pub fn read_older(path: &Path) -> Result<Results, JsonError> {
    let path_owned = || path.to_owned();
    let bytes = bounded(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => JsonError::Missing(path_owned()),
        io::ErrorKind::FileTooLarge => JsonError::TooLarge(path_owned()),
        io::ErrorKind::InvalidInput => JsonError::NoFile(path_owned()),
        _ => JsonError::Io {
            verb: "reading",
            path: path_owned(),
            source,
        },
    })?;
    let value: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| match error.classify() {
            serde_json::error::Category::Eof => JsonError::Truncated(path_owned()),
            _ => JsonError::NotJson {
                path: path_owned(),
                line: error.line(),
                column: error.column(),
            },
        })?;
    // It may quote the file, and the file may be one long string.
    let other_shape = |error: serde_json::Error| JsonError::OtherShape {
        path: path_owned(),
        reason: error.to_string().chars().take(300).collect(),
    };
    // The version first: of another version's file nothing else can be said.
    let found = SchemaOnly::deserialize(&value).map_err(other_shape)?.schema;
    let other_schema = || JsonError::OtherSchema {
        path: path_owned(),
        found,
    };
    match found.cmp(&SCHEMA) {
        Ordering::Equal => serde_json::from_value(value).map_err(other_shape),
        Ordering::Less => serde_json::from_value(value).map_err(|_| other_schema()),
        Ordering::Greater => Err(other_schema()),
    }
}

//! Records in a folder, one file each.
//!
//! A file is named by its run's start and id and never changed, so that two folders are merged by
//! copying, by git or by a cache, without a conflict.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use verdict_audit::Exit;

use crate::apart::apart;
use crate::record::{Record, SCHEMA};

/// Bytes that are read of a record: one of all items and flows has a few hundred kilobytes.
const LARGEST: u64 = 16 << 20;

/// Where records are kept.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

/// Why records cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
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
    /// A file is no record.
    #[error("{path} is no record of a run ({reason}): take it out of the history")]
    NoRecord {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A newer Verdict wrote it.
    #[error("{path} was written by a newer Verdict (schema {found}, this one reads {SCHEMA})")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
    },
}

impl FolderError {
    /// The exit code that says so.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Io { source, .. } => Exit::of_io(source),
            Self::NoRecord { .. } | Self::Newer { .. } => Exit::Data,
        }
    }
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: u32,
}

impl Folder {
    /// A folder, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps a record; whether it was not there yet.
    ///
    /// # Errors
    /// [`FolderError::Io`], and the folder is as it was.
    pub fn add(&self, record: &Record) -> Result<bool, FolderError> {
        let failed = |verb, path: &Path| {
            let path = path.to_owned();
            move |source| FolderError::Io { verb, path, source }
        };
        fs::create_dir_all(&self.path).map_err(failed("creating", &self.path))?;
        let path = self.path.join(name(record));
        if path.exists() {
            return Ok(false);
        }
        let mut text = serde_json::to_vec(record)
            .map_err(|error| failed("writing", &path)(io::Error::other(error)))?;
        text.push(b'\n');
        // As any file of the user's: others may read it where the umask lets them.
        let mut file = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(&self.path)
            .map_err(failed("writing", &self.path))?;
        file.write_all(&text).map_err(failed("writing", &path))?;
        file.persist(&path)
            .map_err(|error| failed("writing", &path)(error.error))?;
        Ok(true)
    }

    /// The files of records, the oldest first; none where there is no folder.
    fn files(&self) -> Result<Vec<PathBuf>, FolderError> {
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|source| FolderError::Io {
                verb: "reading",
                path: self.path.clone(),
                source,
            })?,
        };
        let mut files: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .collect();
        files.sort();
        Ok(files)
    }

    /// Every record, the oldest first.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn records(&self) -> Result<Vec<Record>, FolderError> {
        let mut records = self
            .files()?
            .iter()
            .map(|file| read(file))
            .collect::<Result<Vec<_>, _>>()?;
        records.sort_by(|one, other| {
            (one.run.time, &one.run.id).cmp(&(other.run.time, &other.run.id))
        });
        Ok(records)
    }

    /// The last record before a run that its figures may be held against, and has some of them.
    ///
    /// # Errors
    /// When one that is later cannot be read.
    pub fn last_before(&self, run: &Record) -> Result<Option<Record>, FolderError> {
        let own = name(run);
        for file in self.files()?.iter().rev() {
            if file.file_name().is_none_or(|name| *name >= *own) {
                continue;
            }
            let record = read(file)?;
            let shared = record
                .figures
                .iter()
                .any(|one| run.figure(&one.key).is_some());
            if shared && apart(&record, run).is_empty() {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }
}

fn name(record: &Record) -> String {
    let id = record.run.id.chars();
    let id: String = id
        .filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .collect();
    format!("{}-{id}.json", record.run.time.format("%Y%m%dT%H%M%S%3fZ"))
}

/// Reads one record.
///
/// # Errors
/// When the file cannot be read, is no record, or is of a newer Verdict.
pub fn read(path: &Path) -> Result<Record, FolderError> {
    let no_record = |reason: String| FolderError::NoRecord {
        path: path.to_owned(),
        reason: reason.chars().take(300).collect(),
    };
    let failed = |source| FolderError::Io {
        verb: "reading",
        path: path.to_owned(),
        source,
    };
    let about = fs::metadata(path).map_err(failed)?;
    if !about.is_file() {
        return Err(no_record("it is no file".to_owned()));
    }
    if about.len() > LARGEST {
        return Err(no_record("it is larger than any record".to_owned()));
    }
    let bytes = fs::read(path).map_err(failed)?;
    let shape = |error: serde_json::Error| no_record(error.to_string());
    let found = serde_json::from_slice::<SchemaOnly>(&bytes)
        .map_err(shape)?
        .schema;
    if found > SCHEMA {
        return Err(FolderError::Newer {
            path: path.to_owned(),
            found,
        });
    }
    serde_json::from_slice(&bytes).map_err(shape)
}

//! Where results and the report go.

use std::path::{Path, PathBuf};

use crate::error::Error;

/// `target/verdict`, in cargo's target folder.
pub fn output() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from("target"), PathBuf::from)
        .join("verdict")
}

/// The results of the last run.
pub fn results(output: &Path) -> PathBuf {
    output.join("results.json")
}

/// The results of the run before the last.
pub fn previous(output: &Path) -> PathBuf {
    output.join("previous.json")
}

/// What is kept of every run.
pub fn history(output: &Path) -> PathBuf {
    output.join("history")
}

/// Goose's own reports of a run.
pub fn goose(output: &Path, run: &str) -> PathBuf {
    report(output).join("goose").join(run)
}

/// Criterion's own files, of what it samples outside `cargo bench`.
pub fn criterion(output: &Path) -> PathBuf {
    output.join("criterion")
}

/// The report's folder; the page is `index.html` in it.
pub fn report(output: &Path) -> PathBuf {
    output.join("report")
}

/// The output folder, made, and known to be writable before anything long begins.
///
/// # Errors
/// When it cannot be made or written to.
pub fn prepare() -> crate::error::Result<PathBuf> {
    let output = output();
    writable(&output)?;
    Ok(output)
}

/// The same where results go to a file that was named.
///
/// # Errors
/// When a folder cannot be made or written to, or the file is a folder.
pub fn prepare_for(file: Option<&Path>) -> crate::error::Result<PathBuf> {
    if let Some(file) = file {
        if file.is_dir() {
            return Err(Error::Output {
                folder: file.to_owned(),
                source: std::io::ErrorKind::IsADirectory.into(),
            });
        }
        // A bare name is in the folder that one is in.
        let folder = file.parent().filter(|folder| *folder != Path::new(""));
        writable(folder.unwrap_or(Path::new(".")))?;
    }
    prepare()
}

/// Makes a folder, and writes into it.
fn writable(folder: &Path) -> crate::error::Result<()> {
    std::fs::create_dir_all(folder)
        .and_then(|()| {
            let probe = folder.join(format!(".writable-{}", std::process::id()));
            std::fs::write(&probe, b"")?;
            std::fs::remove_file(&probe)
        })
        .map_err(|source| Error::Output {
            folder: folder.to_owned(),
            source,
        })
}

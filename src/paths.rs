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
    std::fs::create_dir_all(&output)
        .and_then(|()| {
            let probe = output.join(".writable");
            std::fs::write(&probe, b"")?;
            std::fs::remove_file(&probe)
        })
        .map_err(|source| Error::Output {
            folder: output.clone(),
            source,
        })?;
    Ok(output)
}

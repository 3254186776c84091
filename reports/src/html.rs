//! The report: one page that needs nothing else.

use std::path::Path;

use askama::Template;
use verdict_audit::evidence::Results;

use crate::json::{self, JsonError};
use crate::page::Page;
use crate::plot::PlotError;

/// A file kept beside the report, such as the load generator's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// What it is called on the page.
    pub title: String,
    /// Where it is, relative to the page.
    pub href: String,
}

/// Why a report was not written.
#[derive(Debug, thiserror::Error)]
pub enum HtmlError {
    /// A chart was not drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// The page was not put together.
    #[error("the report's page cannot be put together: {0}")]
    Template(#[from] askama::Error),
    /// The page was not written.
    #[error(transparent)]
    Write(#[from] JsonError),
}

/// The page as text.
///
/// # Errors
/// [`HtmlError::Plot`] and [`HtmlError::Template`], for figures that cannot be drawn.
pub fn render(results: &Results, artefacts: &[Artefact]) -> Result<String, HtmlError> {
    Ok(Page::of(results, artefacts)?.render()?)
}

/// Writes the page, replacing the old one in a single step. Creates the folder.
///
/// # Errors
/// As [`render`], and [`HtmlError::Write`] when the file system refuses.
pub fn write(path: &Path, results: &Results, artefacts: &[Artefact]) -> Result<(), HtmlError> {
    Ok(json::replace(path, &render(results, artefacts)?)?)
}

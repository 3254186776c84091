//! The report: one page that needs nothing else.

use std::path::Path;

use askama::Template;
use verdict_audit::Exit;
use verdict_audit::evidence::Results;

use crate::artefact::Artefact;
use crate::json::JsonError;
use crate::page::Page;
use crate::plot::PlotError;
use crate::replace::replace;

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

impl HtmlError {
    /// The exit code that says so.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Write(error) => error.exit(),
            Self::Plot(_) | Self::Template(_) => Exit::Software,
        }
    }
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
    let page = render(results, artefacts)?;
    Ok(replace(path, |temporary| std::fs::write(temporary, &page))?)
}

//! What the start of one engine needs to know.

use std::path::Path;
use std::time::Duration;

use crate::endpoints::Endpoints;
use crate::packages::Programs;
use crate::settings::Purpose;

/// How long an engine may take to answer: far more than any was seen to need, for a machine
/// that is busy with something else.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What the start of one engine needs to know.
pub(super) struct Setting<'a> {
    pub programs: &'a Programs,
    pub host: &'a Path,
    pub endpoints: &'a Endpoints,
    pub password: &'a str,
    pub purpose: Purpose,
    /// The sealed world to start on a copy of.
    pub world: Option<&'a Path>,
}

//! How long operations wait for a connection, as the pool itself measures it.
//!
//! An operation takes a connection for each of its statements, out of sight of its caller. The
//! pool tells each of them, with the time, to the `tracing` subscriber of the task; this is a
//! subscriber that listens to nothing else, and only around the operations it is put around.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The pool's name for these events, and for the field with the seconds.
const TARGET: &str = "sqlx::pool::acquire";
const SECONDS: &str = "acquired_after_secs";

/// Is told of every wait.
pub trait Heard: Send + Sync {
    /// A connection was waited for this long, the pool's own check of it included.
    fn waited(&self, time: Duration);
}

/// Tells each acquisition to whoever listens. The pool tells all of them only when its
/// `acquire_slow_threshold` is zero.
pub struct Waits<H>(pub Arc<H>);

impl<H: Heard + 'static> Subscriber for Waits<H> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target() == TARGET
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // What the pool calls slow it tells as a warning.
        Some(LevelFilter::WARN)
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Seconds(&*self.0));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        // Never asked for: no span is enabled.
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Seconds<'a>(&'a dyn Heard);

impl Visit for Seconds<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == SECONDS
            && let Ok(waited) = Duration::try_from_secs_f64(value)
        {
            self.0.waited(waited);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

//! goose, without its log.

use log::{Log, Metadata, Record};

/// Keeps goose from logging: it writes a line for each request that fails, which a tape counts,
/// and an outcome has the first of. Its own errors are answered.
pub(crate) fn hush() {
    struct Silence;
    impl Log for Silence {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            false
        }
        fn log(&self, _: &Record<'_>) {}
        fn flush(&self) {}
    }
    // Fails when there is a logger already: this one, or that of whoever runs this.
    let _ = log::set_logger(&Silence);
}

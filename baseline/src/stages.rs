//! What the parts of an operation took.

use std::fmt;
use std::time::{Duration, Instant};

/// The stages of one call, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stages(Vec<(&'static str, Duration)>);

impl Stages {
    /// Waits for the work of a stage. Its name is a token: letters, digits and hyphens.
    pub async fn time<T>(&mut self, name: &'static str, work: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let done = work.await;
        self.0.push((name, began.elapsed()));
        done
    }
}

/// As the header `Server-Timing` has it (W3C Server Timing): milliseconds.
impl fmt::Display for Stages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, took)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{name};dur={:.3}", took.as_secs_f64() * 1e3)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_read_as_the_header_wants_them() {
        let stages = Stages(vec![
            ("candidates", Duration::from_micros(1_500)),
            ("posts", Duration::from_millis(20)),
        ]);
        assert_eq!(stages.to_string(), "candidates;dur=1.500, posts;dur=20.000");
        assert_eq!(Stages::default().to_string(), "");
    }
}

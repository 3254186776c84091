//! Progress, where a person looks: one line that says what is being done, on the terminal only.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use verdict_audit::{VariantName, Warning};
use verdict_load::LoadWatcher;
use verdict_scenarios::court::Watcher;

/// Shows the steps of a run and collects its warnings.
#[derive(Debug)]
pub struct Display {
    bars: MultiProgress,
    line: ProgressBar,
    started: Instant,
    warnings: Mutex<Vec<Warning>>,
}

impl Display {
    /// A display on standard error; silent where that is no terminal.
    pub fn new() -> Self {
        let bars = MultiProgress::new();
        let line = bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}") {
            line.set_style(style);
        }
        Self {
            bars,
            line,
            started: Instant::now(),
            warnings: Mutex::new(Vec::new()),
        }
    }

    /// Where other parts draw theirs.
    pub fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Says what is being done now: on the line, or as a line of a log where there is no
    /// terminal.
    pub fn say(&self, what: impl Into<Cow<'static, str>>) {
        let what = what.into();
        if self.line.is_hidden() {
            eprintln!("{:>6.1} s  {what}", self.started.elapsed().as_secs_f64());
        }
        self.show(what);
    }

    /// Says something that stays on the screen.
    pub fn announce(&self, what: &str) {
        self.bars.suspend(|| eprintln!("{what}"));
    }

    fn show(&self, what: impl Into<Cow<'static, str>>) {
        self.line.enable_steady_tick(Duration::from_millis(120));
        self.line.set_message(what);
    }

    /// Keeps a warning, once however often it is told.
    fn keep(&self, warning: Warning) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// The warnings so far.
    pub fn warnings(&self) -> Vec<Warning> {
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.clone()
    }

    /// Takes the line away and gives the warnings.
    pub fn finish(self) -> Vec<Warning> {
        self.line.finish_and_clear();
        self.warnings
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Display {
    fn default() -> Self {
        Self::new()
    }
}

impl Watcher for Display {
    fn step(&self, item: &str, variant: &VariantName, step: &str) {
        self.say(format!("{item}, {variant}: {step}"));
    }

    fn warn(&self, warning: Warning) {
        self.keep(warning);
    }
}

impl LoadWatcher for Display {
    fn step(&self, what: &str, done: f64) {
        self.show(format!("load, {:.0} %: {what}", done * 100.0));
    }

    fn say(&self, words: &str) {
        Self::say(self, words.to_owned());
    }

    fn warn(&self, warning: Warning) {
        self.keep(warning);
    }
}

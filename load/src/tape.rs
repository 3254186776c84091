//! What is recorded of the requests of one side at one level.

use std::time::{Duration, Instant};

use hdrhistogram::{AdditionError, Histogram};
use verdict_audit::evidence::{Answers, FlowWindow, WindowStage};
use verdict_audit::histogram::{decode, encode};
use verdict_audit::load_rules::failing;
use verdict_audit::quantile::Unit;

use crate::answers::{self, LOADED};
use crate::flows::call::{Amiss, Call};
use crate::samples::{Sample, Samples};
use crate::server_timing::Stage;
use crate::verify::Window;

/// The unit of every latency here, which is the unit of durations in the results.
pub(crate) const UNIT: Unit = Unit::Microseconds;

/// The longest latency that is told apart: ten minutes, far beyond the client's timeout.
const LONGEST: u64 = 600_000_000;

/// Three digits: within 0.1 % of every latency.
const DIGITS: u8 = 3;

/// How often is looked at who still waits: a stand-still of so long leaves a trace.
const TICK: Duration = Duration::from_millis(2);

/// An empty histogram of the one layout that all of them share, so that they add exactly.
#[expect(
    clippy::expect_used,
    reason = "the bounds are constants, and a test makes one"
)]
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("the bounds are valid")
}

/// What is recorded of one window.
#[derive(Debug)]
pub(crate) struct WindowTape {
    /// Right answers that came while it was measured.
    pub answered: u64,
    /// Latencies of all its requests, failed ones included: to leave them out would make a
    /// service that gives up quickly look fast.
    pub latencies: Histogram<u64>,
    /// How long, at every [`TICK`], the next answer to anybody still took.
    pub standing: Histogram<u64>,
    /// What each stage took of the right answers that name any, in their order.
    pub stages: Vec<(String, Histogram<u64>)>,
    /// Of those who stood, the last answer so far.
    last: Option<Instant>,
}

/// Measured requests of one side at one level, over all its windows.
#[derive(Debug)]
pub(crate) struct Tape {
    /// The windows so far, in order.
    pub windows: Vec<WindowTape>,
    /// Open loop: how late the generator sent.
    pub lags: Histogram<u64>,
    /// Open loop: requests that waited for another one to end.
    pub held_back: u64,
    /// What the generator used of the machine in each window.
    pub shares: Vec<f64>,
    /// Measured requests that were not answered as they should be: failed, or wrong at sight.
    pub errors: u64,
    /// The first of them in words.
    pub first_error: Option<String>,
    /// Messages sent in the fullest window.
    pub most_sent: usize,
    /// Answers that were held to what is due, those that were wrong at sight among them.
    pub answers: Answers,
    /// Answers of this window, to be held to the oracle when it is over.
    samples: Samples,
}

impl Tape {
    /// Nothing yet; the seed decides which answers are kept for the oracle.
    pub fn new(seed: u64) -> Self {
        Self {
            windows: Vec::new(),
            lags: histogram(),
            held_back: 0,
            shares: Vec::new(),
            errors: 0,
            first_error: None,
            most_sent: 0,
            answers: Answers::default(),
            samples: Samples::new(seed),
        }
    }
}

/// The measured part of a window, after its warm-up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub from: Instant,
    pub until: Instant,
}

impl Measured {
    /// A window that opens now.
    pub fn opening_now(warm_up: Duration, window: Duration) -> Self {
        let from = Instant::now() + warm_up;
        Self {
            from,
            until: from + window,
        }
    }

    /// Half-way through it.
    pub fn middle(&self) -> Instant {
        self.from + (self.until - self.from) / 2
    }

    fn holds(&self, instant: Instant) -> bool {
        self.from <= instant && instant < self.until
    }
}

impl Tape {
    /// Begins the next window.
    pub fn next_window(&mut self) {
        self.windows.push(WindowTape {
            answered: 0,
            latencies: histogram(),
            standing: histogram(),
            stages: Vec::new(),
            last: None,
        });
    }

    /// Keeps an answer that looks right for the oracle, when the draw falls on it.
    pub fn keep(&mut self, call: Call, body: Vec<u8>) {
        self.samples.offer(call, body);
    }

    /// Adds what a window's answers and messages came to, and the generator's share of the
    /// machine while it was measured.
    pub fn close_window(&mut self, window: Window, share: Option<f64>) {
        self.shares.extend(share);
        self.most_sent = self.most_sent.max(window.sent);
        answers::add(&mut self.answers, window.answers);
    }

    /// The answers of the window that were kept, now that nothing is timed.
    pub fn samples(&mut self) -> Vec<Sample> {
        self.samples.take()
    }

    /// Records a request. It counts when it began (or was due) while the window was measured,
    /// however long it took; its answer adds to the throughput when it came while the window
    /// was measured, whenever it began.
    pub fn record(
        &mut self,
        window: Measured,
        began: Instant,
        ended: Instant,
        outcome: Result<(), Amiss>,
    ) {
        if let Err(Amiss::Wrong(wrong)) = &outcome {
            let wrong = wrong.clone().at(LOADED);
            answers::count(&mut self.answers, Err(wrong));
        }
        let Some(tape) = self.windows.last_mut() else {
            return;
        };
        if outcome.is_ok() && window.holds(ended) {
            tape.answered += 1;
        }
        if !window.holds(began) {
            return;
        }
        tape.latencies
            .saturating_record(microseconds(ended.saturating_duration_since(began)));
        if let Err(wrong) = outcome {
            self.errors += 1;
            self.first_error.get_or_insert_with(|| wrong.to_string());
        }
    }

    /// Records what the stages of a right answer took, which counts as its request does.
    pub fn record_stages(&mut self, window: Measured, began: Instant, stages: &[Stage]) {
        let Some(tape) = self.windows.last_mut() else {
            return;
        };
        if !window.holds(began) {
            return;
        }
        for (name, took) in stages {
            tape.stage(name).saturating_record(microseconds(*took));
        }
    }

    /// Records, when an answer has come to one of several users who wait, how long it was still to
    /// be waited at each tick since the one before. Of a stand-still that began in the window all
    /// is seen, though it be over after its end.
    pub fn record_standing(&mut self, window: Measured, began: Instant, ended: Instant) {
        let Some(tape) = self.windows.last_mut() else {
            return;
        };
        let before = tape.last.unwrap_or(window.from);
        if began >= window.until || ended <= before {
            return;
        }
        tape.last = Some(ended);
        let since = before.saturating_duration_since(window.from);
        let ticks = since.as_nanos().div_ceil(TICK.as_nanos());
        let mut at = window.from + TICK * u32::try_from(ticks).unwrap_or(u32::MAX);
        while at < ended {
            tape.standing.saturating_record(microseconds(ended - at));
            at += TICK;
        }
    }

    /// Records how late the generator was with a request that was due.
    pub fn record_lag(&mut self, window: Measured, due: Instant, sent: Instant) {
        if window.holds(due) {
            self.lags
                .saturating_record(microseconds(sent.saturating_duration_since(due)));
        }
    }

    /// Right answers of the last window.
    pub fn answered(&self) -> u64 {
        self.windows.last().map_or(0, |window| window.answered)
    }

    /// Whether more of its requests failed than a level may have to be judged.
    pub fn failing(&self) -> bool {
        failing(self.errors, self.requests())
    }

    /// Right answers per second, of windows of this length.
    pub fn throughput(&self, window: Duration) -> f64 {
        let answered: u64 = self.windows.iter().map(|window| window.answered).sum();
        answered as f64 / (window.as_secs_f64() * self.windows.len() as f64)
    }

    /// Measured requests.
    pub fn requests(&self) -> u64 {
        self.windows
            .iter()
            .map(|window| window.latencies.len())
            .sum()
    }
}

/// Whole microseconds, at least one: an HDR histogram has no place for less.
fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros())
        .unwrap_or(LONGEST)
        .max(1)
}

impl WindowTape {
    /// The histogram of a stage, empty where it is the first time that it is named.
    fn stage(&mut self, name: &str) -> &mut Histogram<u64> {
        let known = self.stages.iter().position(|(known, _)| known == name);
        let place = known.unwrap_or_else(|| {
            self.stages.push((name.to_owned(), histogram()));
            self.stages.len() - 1
        });
        &mut self.stages[place].1
    }

    /// As results carry it.
    pub fn stored(&self) -> Result<FlowWindow, String> {
        let standing = (!self.standing.is_empty()).then(|| encode(&self.standing));
        let stage = |(name, times): &(String, Histogram<u64>)| {
            Ok::<_, String>(WindowStage {
                name: name.clone(),
                times: encode(times)?,
            })
        };
        Ok(FlowWindow {
            answered: self.answered,
            latencies: encode(&self.latencies)?,
            standing: standing.transpose()?,
            stages: self.stages.iter().map(stage).collect::<Result<_, _>>()?,
        })
    }

    /// From results.
    pub fn read(stored: &FlowWindow) -> Result<Self, String> {
        Ok(Self {
            answered: stored.answered,
            latencies: decode(&stored.latencies)?,
            standing: match &stored.standing {
                Some(standing) => decode(standing)?,
                None => histogram(),
            },
            stages: stored
                .stages
                .iter()
                .map(|stage| Ok::<_, String>((stage.name.clone(), decode(&stage.times)?)))
                .collect::<Result<_, _>>()?,
            last: None,
        })
    }

    /// Adds what another generator recorded of the same window.
    pub fn add(&mut self, other: &Self) -> Result<(), String> {
        self.answered += other.answered;
        let words = |error: AdditionError| error.to_string();
        self.latencies.add(&other.latencies).map_err(words)?;
        self.standing.add(&other.standing).map_err(words)?;
        for (name, times) in &other.stages {
            self.stage(name).add(times).map_err(words)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use verdict_oracle::Difference;

    use super::*;

    fn window() -> Measured {
        Measured::opening_now(Duration::from_secs(1), Duration::from_secs(1))
    }

    fn tape() -> Tape {
        let mut tape = Tape::new(1);
        tape.next_window();
        tape
    }

    #[test]
    fn a_request_of_the_warm_up_counts_only_as_an_answer_of_the_window_it_ends_in() {
        let (mut tape, window) = (tape(), window());
        let early = window.from - Duration::from_millis(100);
        tape.record(window, early, early + Duration::from_millis(50), Ok(()));
        assert_eq!((tape.requests(), tape.windows[0].answered), (0, 0));
        tape.record(window, early, window.from, Ok(()));
        assert_eq!((tape.requests(), tape.windows[0].answered), (0, 1));
    }

    #[test]
    fn a_request_that_outlasts_its_window_keeps_its_latency() {
        let (mut tape, window) = (tape(), window());
        let late = window.until - Duration::from_millis(1);
        tape.record(window, late, late + Duration::from_secs(3), Ok(()));
        assert_eq!((tape.requests(), tape.windows[0].answered), (1, 0));
        assert!(tape.windows[0].latencies.max() >= 2_990_000);
    }

    #[test]
    fn a_stand_still_is_there_at_every_instant_that_it_lasts_and_one_slow_call_is_not() {
        let (mut tape, window) = (tape(), window());
        let at = |ms: u64| window.from + Duration::from_millis(ms);
        // Everybody from before the window to its middle.
        let early = window.from - Duration::from_millis(50);
        tape.record_standing(window, early, at(500));
        tape.record_standing(window, early, at(500));
        // One of two for the rest of it; the other is answered every millisecond.
        for ms in 500..1_000 {
            tape.record_standing(window, at(ms), at(ms + 1));
        }
        tape.record_standing(window, at(500), at(1_000));
        let standing = &tape.windows[0].standing;
        assert_eq!(standing.len(), 500);
        let long = standing.count_between(100_000, LONGEST);
        assert!((195..=205).contains(&long), "{long}");
        assert!(standing.max() <= 501_000, "{}", standing.max());
    }

    #[test]
    fn of_a_stand_still_that_outlasts_its_window_all_is_seen() {
        let (mut tape, window) = (tape(), window());
        let late = window.until - Duration::from_millis(10);
        tape.record_standing(window, window.from, late);
        tape.record_standing(window, late, late + Duration::from_secs(2));
        let standing = &tape.windows[0].standing;
        assert!(standing.count_between(1_000_000, LONGEST) >= 500);
    }

    #[test]
    fn a_failed_request_is_counted_and_told_but_is_no_throughput_and_no_wrong_answer() {
        let (mut tape, window) = (tape(), window());
        for failed in ["first", "second"] {
            let failed = Err(Amiss::Failed(failed.to_owned()));
            tape.record(window, window.from, window.from, failed);
        }
        assert_eq!(
            (tape.requests(), tape.errors, tape.windows[0].answered),
            (2, 2, 0)
        );
        assert_eq!(tape.first_error.as_deref(), Some("first"));
        assert_eq!(tape.answers, Answers::default());
    }

    #[test]
    fn an_answer_that_is_wrong_at_sight_counts_also_while_the_window_warms_up() {
        let (mut tape, window) = (tape(), window());
        let wrong = || Err(Amiss::Wrong(Difference("row 7".to_owned())));
        let early = window.from - Duration::from_millis(100);
        tape.record(window, early, early, wrong());
        assert_eq!((tape.errors, tape.answers.differing), (0, 1));
        tape.record(window, window.from, window.from, wrong());
        assert_eq!((tape.errors, tape.answers.differing), (1, 2));
        let first = tape.answers.first_difference.unwrap();
        assert!(
            first.contains("loaded") && first.contains("row 7"),
            "{first}"
        );
    }
}

//! What a load run does, and how long it takes.

use std::time::Duration;

use verdict_audit::flow_judge::OPEN_SHARE;
use verdict_audit::load_rules::MIN_REQUESTS;
use verdict_audit::{Catalogue, FlowId};

use crate::error::{Error, Result};

/// What a load run does.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadPlan {
    /// The flows, in this order.
    pub flows: Vec<FlowId>,
    /// Closed loop: numbers of users who each wait for their answer before they ask again.
    pub users: Vec<u32>,
    /// Open loop: arrivals per second, on each side. When empty, `shares` and `climb` decide.
    pub rates: Vec<f64>,
    /// Open loop without `rates`: shares of the slower side's throughput in the closed loop where
    /// the targets are judged, or at its best when that was not measured. The same rates go to
    /// both sides.
    pub shares: Vec<f64>,
    /// Open loop without `rates`: shares of the most that a side itself reached in the closed
    /// loop, rising. They are tried up to where the audit's goal breaks, and higher ones yet
    /// where it does not.
    pub climb: Vec<f64>,
    /// Measured time of one window.
    pub window: Duration,
    /// Windows of each side at each level.
    pub windows: usize,
    /// Windows of each side at the levels at which the audit's targets are judged, in both loops.
    pub judged_windows: usize,
    /// Requests of each side wanted at those levels: while there are fewer, there are up to
    /// three times as many windows.
    pub wanted: u64,
    /// Of how many flows, from the first, today is also put against itself where the targets are
    /// judged, in both loops.
    pub self_checks: usize,
    /// Windows in each one's place when today is put against itself.
    pub self_windows: usize,
    /// Time before each window in which the side is under the same load and nothing counts.
    pub warm_up: Duration,
    /// Requests of the open loop under way at once, at most: further ones wait for one of them to
    /// end, and their latency counts from when they were due.
    pub at_once: u32,
    /// How long a whole answer may take before it counts as none.
    pub patience: Duration,
    /// How long the answers of a flow before any timing may take together.
    pub before: Duration,
    /// Seed of the requests and of the arrivals.
    pub seed: u64,
}

/// A level gets at most so many times its windows.
pub(crate) const STRETCH: usize = 3;

/// Steps beyond the planned rates, and what each is the one before it times.
const BEYOND: i32 = 8;
const STEEPER: f64 = 1.5;

/// Down to an eighth of the lowest rate that the sides share.
const DESCENTS: usize = 3;

/// Somewhat more than the least that is judged: arrivals are not counted beforehand.
const ENOUGH: u64 = MIN_REQUESTS + MIN_REQUESTS / 4;

/// What lies between two windows on top of the warm-up: answers are held to what is due.
const BETWEEN: Duration = Duration::from_millis(60);

const FLOWS: [FlowId; 6] = [
    FlowId::Feed,
    FlowId::Send,
    FlowId::History,
    FlowId::Page,
    FlowId::Mix,
    FlowId::MixUncached,
];

impl LoadPlan {
    /// Every flow at the levels that are judged, in short turns: within half a minute or so.
    pub fn short() -> Self {
        Self {
            flows: FLOWS.to_vec(),
            users: vec![Catalogue::builtin().judged_users],
            rates: Vec::new(),
            shares: vec![OPEN_SHARE],
            climb: Vec::new(),
            window: Duration::from_millis(130),
            windows: 10,
            judged_windows: 10,
            wanted: ENOUGH,
            self_checks: 1,
            self_windows: 5,
            warm_up: Duration::from_millis(40),
            at_once: u32::MAX,
            patience: Duration::from_secs(30),
            before: Duration::from_secs(120),
            seed: 1,
        }
    }

    /// Every flow at every level, and up to where the goal breaks: within three minutes a flow.
    pub fn full() -> Self {
        Self {
            // Four are also the least that the scalability law is fitted to.
            users: vec![1, 4, 16, 64],
            climb: vec![0.7, 0.85, 1.0, 1.25],
            window: Duration::from_millis(1_500),
            windows: 3,
            judged_windows: 10,
            wanted: 1_000,
            self_checks: usize::MAX,
            warm_up: Duration::from_millis(200),
            ..Self::short()
        }
    }

    /// Leaves only those of its flows that are asked for.
    #[must_use]
    pub fn only(mut self, flows: &[FlowId]) -> Self {
        self.flows.retain(|flow| flows.contains(flow));
        self
    }

    /// About how long it takes, when neither side is so slow that it needs more windows and both
    /// hold their goals to the end.
    pub fn expected(&self) -> Duration {
        let judged = Catalogue::builtin().judged_users;
        let closed: usize = self
            .users
            .iter()
            .map(|users| self.windows_at(*users == judged))
            .sum();
        let open = match self.rates.len() {
            0 => {
                let shared = self
                    .shares
                    .iter()
                    .map(|share| self.windows_at(*share == OPEN_SHARE));
                shared.sum()
            }
            rates => rates * self.windows,
        };
        let checks = self.self_checks.min(self.flows.len()) * self.loops_judged();
        let checks = checks * self.self_windows;
        // Without a goal there is nothing to climb to.
        let climbing = self
            .flows
            .iter()
            .filter(|flow| self.rates.is_empty() && Catalogue::builtin().target(**flow).is_some());
        let climbed = climbing.count() * self.climb.len() * self.windows;
        let windows = 2 * (self.flows.len() * (closed + open) + climbed + checks);
        (self.warm_up + self.window + BETWEEN) * u32::try_from(windows).unwrap_or(u32::MAX)
    }

    /// In how many loops the targets are judged.
    pub(crate) fn loops_judged(&self) -> usize {
        let closed = self.users.contains(&Catalogue::builtin().judged_users);
        let open = self.rates.is_empty() && self.shares.contains(&OPEN_SHARE);
        usize::from(closed) + usize::from(open)
    }

    /// The shares that a side climbs to: those planned, and some that go on rising from the last.
    pub(crate) fn climbed(&self) -> impl Iterator<Item = f64> + use<'_> {
        let beyond = self.climb.last().copied().unwrap_or_default();
        let steps = if self.climb.is_empty() { 0 } else { BEYOND };
        let beyond = (1..=steps).map(move |step| beyond * STEEPER.powi(step));
        self.climb.iter().copied().chain(beyond)
    }

    /// How often a rate is halved at most to find one that holds: not at all where none is climbed.
    pub(crate) fn descents(&self) -> usize {
        if self.climb.is_empty() { 0 } else { DESCENTS }
    }

    /// Windows of each side at a level, when it gives requests enough.
    pub(crate) fn windows_at(&self, judged: bool) -> usize {
        if judged {
            self.judged_windows
        } else {
            self.windows
        }
    }

    /// Windows of each side at a rate: more where few arrive.
    pub(crate) fn windows_of(&self, rate: f64, judged: bool) -> usize {
        let wanted = if judged { self.wanted } else { ENOUGH };
        let needed = wanted as f64 / (rate * self.window.as_secs_f64());
        let windows = self.windows_at(judged);
        (needed.ceil() as usize).clamp(windows, windows * STRETCH)
    }

    /// Requests that can be under way at once: one of each user, and in the open loop, which
    /// waits for nobody, all of a window's where nothing is answered.
    pub fn most_at_once(&self) -> u32 {
        let users = self.users.iter().copied().max().unwrap_or_default();
        let window = (self.warm_up + self.window).as_secs_f64();
        let arrivals = self.rates.iter().map(|rate| (rate * window) as u32);
        users.max(arrivals.max().unwrap_or_default())
    }

    /// Refuses what cannot be measured, before anything is started for it.
    ///
    /// # Errors
    /// What is missing, or what makes no sense.
    pub fn check(&self) -> Result<()> {
        if self.flows.is_empty() {
            return Err(Error::EmptyPlan { what: "flow" });
        }
        if self.users.is_empty() && self.rates.is_empty() {
            return Err(Error::EmptyPlan {
                what: "level of load, neither users nor a rate",
            });
        }
        if self.windows == 0 || self.judged_windows == 0 || self.window.is_zero() {
            return Err(Error::EmptyPlan { what: "window" });
        }
        let senseless = |what: String, choose| Err(Error::Senseless { what, choose });
        if twice(&self.flows) || twice(&self.users) || twice(&self.rates) {
            return senseless("a flow or a level twice".to_owned(), "each of them once");
        }
        if let Some(users) = self
            .users
            .iter()
            .find(|users| !(1..=10_000).contains(*users))
        {
            return senseless(format!("{users} users"), "from 1 to 10000");
        }
        // Comparisons that also refuse what is not a number.
        if let Some(rate) = self.rates.iter().find(|rate| !(0.1..=1e6).contains(*rate)) {
            return senseless(format!("{rate} requests/s"), "from 0.1 to 1000000");
        }
        Ok(())
    }
}

fn twice<T: PartialEq>(all: &[T]) -> bool {
    let mut pairs = all.iter().enumerate();
    pairs.any(|(place, one)| all[..place].contains(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_of_ours_is_sound_and_measures_the_level_that_is_judged() {
        let judged = Catalogue::builtin().judged_users;
        for plan in [LoadPlan::short(), LoadPlan::full()] {
            plan.check().unwrap();
            assert!(plan.users.contains(&judged) && plan.shares.contains(&OPEN_SHARE));
            assert!(plan.judged_windows >= 10 && plan.self_checks > 0);
        }
    }

    #[test]
    fn all_flows_take_about_a_minute_at_the_short_plan_and_seventeen_at_the_full_one() {
        let short = LoadPlan::short().expected().as_secs_f64();
        assert!(short < 70.0, "{short} s");
        let full = LoadPlan::full().expected().as_secs_f64();
        assert!(full < 1020.0, "{full} s");
    }

    #[test]
    fn rates_rise_beyond_the_plan_unless_none_is_planned() {
        let full = LoadPlan::full();
        let climbed: Vec<f64> = full.climbed().collect();
        assert!(climbed.starts_with(&full.climb) && climbed.is_sorted_by(|a, b| a < b));
        assert!(climbed.last() > Some(&(10.0 * full.climb[full.climb.len() - 1])));
        assert_eq!(LoadPlan::short().climbed().count(), 0);
    }

    #[test]
    fn a_rate_at_which_few_arrive_gets_more_windows_up_to_a_bound() {
        let plan = LoadPlan::full();
        assert_eq!(plan.windows_of(10_000.0, true), 10);
        assert_eq!(plan.windows_of(50.0, true), 14);
        assert_eq!(plan.windows_of(1.0, true), 30);
        assert_eq!(plan.windows_of(10_000.0, false), 3);
    }

    #[test]
    fn flows_that_nobody_asked_for_are_left_out() {
        let plan = LoadPlan::short().only(&[FlowId::Page, FlowId::Feed]);
        assert_eq!(plan.flows, [FlowId::Feed, FlowId::Page]);
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        let short = LoadPlan::short();
        for plan in [
            LoadPlan {
                flows: vec![],
                ..short.clone()
            },
            LoadPlan {
                users: vec![],
                ..short.clone()
            },
            LoadPlan {
                users: vec![0],
                ..short.clone()
            },
            LoadPlan {
                rates: vec![f64::NAN],
                ..short.clone()
            },
            LoadPlan {
                rates: vec![-1.0],
                ..short.clone()
            },
            LoadPlan {
                rates: vec![5.0, 7.0, 5.0],
                ..short.clone()
            },
            LoadPlan {
                users: vec![4, 4],
                ..short.clone()
            },
            LoadPlan {
                flows: vec![FlowId::Page; 2],
                ..short.clone()
            },
            LoadPlan {
                windows: 0,
                ..short
            },
        ] {
            assert!(plan.check().is_err(), "{plan:?}");
        }
    }
}
